import { test } from "./fixtures.ts"

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`a server that ends by ${signal} and comes back loses nothing and repeats nothing`, async ({
    people,
    chat,
  }) => {
    const alice = await people.signIn("Alice")
    const bob = await people.signIn("Bob")
    const hers = await alice.createRoom(`Restart ${signal}`)
    const his = await bob.joinRoom(hers.url)
    await hers.send("before")
    await his.expectWritten(["before"])

    await chat.stop(signal)
    if (chat.holdsSockets) await hers.expectInterrupted()
    await hers.send("while it was away")
    await hers.send("and once more")
    await chat.start()

    const all = ["before", "while it was away", "and once more"]
    await his.expectWritten(all)
    await hers.expectWritten(all)
    await hers.expectAllSent()

    await his.send("welcome back")
    await hers.expectWritten([...all, "welcome back"])
    await alice.page.reload()
    await hers.expectWritten([...all, "welcome back"])
  })
}
