import { expect, test } from "./fixtures.ts"

test("who can't reach the gateway is on the list's other provider, and all hear each other at once", async ({
  people,
  layout,
}) => {
  const other = layout.endsWith("pusher") ? "Pusher" : "Ably"
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Two ways")
  const his = await bob.joinRoom(hers.url)
  await his.expectVia("Socket.IO")

  // As behind a proxy that lets nothing of it through.
  const network = alice.page.context()
  await network.route("**/socket.io/**", (route) => route.abort())
  await network.routeWebSocket("**/socket.io/**", (socket) => socket.close())
  await alice.page.reload()
  await hers.expectVia(other)

  // Which shows in the end what didn't come.
  for (const { page } of [alice, bob])
    await page.route("**/api/realtime/head?**", (comparison) => comparison.abort())
  const said: string[] = []
  for (const [room, text] of [
    [his, "by the gateway"],
    [hers, `by ${other}`],
    [his, "and back"],
  ] as const) {
    await room.send(text)
    said.push(text)
    for (const each of [hers, his]) await expect(each.written).toHaveText(said)
  }

  for (const [writer, reader, name] of [
    [his, hers, "Bob"],
    [hers, his, "Alice"],
  ] as const) {
    await expect(async () => {
      await writer.composer.press("x")
      await expect(reader.typing(name)).toBeVisible({ timeout: 2_000 })
    }).toPass()
  }
})
