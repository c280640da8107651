import { test } from "./fixtures.ts"

test("a server that is killed, or told to end, and comes back loses nothing and repeats nothing", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Restart")
  const his = await bob.joinRoom(hers.url)
  const all: string[] = []
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await hers.send(`before ${signal}`)
    all.push(`before ${signal}`)
    await his.expectWritten(all)

    await chat.stop(signal)
    if (chat.holdsSockets) await hers.expectInterrupted()
    await hers.send(`away by ${signal}`, "and once more")
    await chat.start()

    all.push(`away by ${signal}`, "and once more")
    await his.expectWritten(all)
    await hers.expectWritten(all)
    await hers.expectAllSent()

    await his.send("welcome back")
    all.push("welcome back")
    await hers.expectWritten(all)
  }
  await alice.page.reload()
  await hers.expectWritten(all)
})
