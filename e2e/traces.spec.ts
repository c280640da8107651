import type { CollectedSpan } from "../server/testing/collector.ts"
import { expect, test } from "./fixtures.ts"

const once = ["accept", "append", "deliver", "send"]

test("a message is followed from the page that sends it to those that show it", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Followed")
  const his = await (await people.signIn("Bob")).joinRoom(hers.url)

  const spansOf = (id: unknown) =>
    (chat.collector?.spans ?? []).filter((span) => span.attributes["messaging.message.id"] === id)
  const stepsOf = (id: unknown) => spansOf(id).map(({ name }) => name.replace("message ", ""))
  const isWhole = (span: CollectedSpan) => {
    const steps = stepsOf(span.attributes["messaging.message.id"])
    const received = steps.filter((step) => step === "receive")
    // In each of the two pages: by the room, and by the list of rooms, which counts what is unread.
    return (
      received.length === 4 &&
      steps
        .filter((step) => step !== "receive")
        .toSorted()
        .join() === once.join()
    )
  }
  const find = () =>
    chat.collector?.spans.find(
      (span) => span.attributes["throughline.event"] === "text-sent" && isWhole(span),
    )
  // The code for it comes after the page: what is sent before isn't followed.
  await expect(async () => {
    await hers.send("Where does this go?")
    await expect.poll(find, { timeout: 10_000 }).toBeDefined()
  }).toPass()

  const spans = spansOf(find()?.attributes["messaging.message.id"])
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(spans.filter(({ service }) => service === "throughline-page").map(({ name }) => name)).toEqual(
    expect.arrayContaining(["message send", "message receive"]),
  )
  await expect(his.written.first()).toContainText("Where does this go?")
  expect(chat.collector?.bodies.join()).not.toContain("Where does this go?")
})
