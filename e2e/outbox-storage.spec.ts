import { expect, test } from "./fixtures.ts"

/** Run in the page before anything of it. */
const storages: [what: string, spoil: () => void][] = [
  [
    // What is added takes its whole transaction with it.
    "the disk is full",
    () => {
      const { add } = IDBObjectStore.prototype
      IDBObjectStore.prototype.add = function (...request) {
        const adding = add.apply(this, request)
        this.transaction.abort()
        return adding
      }
    },
  ],
  [
    "the browser keeps nothing",
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("This browser keeps nothing.", "SecurityError")
      }
    },
  ],
]

for (const [what, spoil] of storages) {
  test(`what is written is sent all the same, once and in order, when ${what}`, async ({ people }) => {
    const alice = await people.signIn("Alice")
    const bob = await people.newcomer("Bob")
    const { url } = await alice.createRoom("No room")
    const his = await bob.joinRoom(url)
    const failures: string[] = []
    alice.page.on("pageerror", ({ message }) => void failures.push(message))
    const told: string[] = []
    alice.page.on("console", (message) => void told.push(message.text()))
    await alice.page.addInitScript(spoil)
    const hers = await alice.openRoom(url)
    await hers.send("one", "two")
    await his.expectWritten(["one", "two"])
    expect(told.some((text) => text.includes("the outbox"))).toBe(true)
    // He may have it before she knows that it was taken.
    await hers.expectAllSent()
    const browser = alice.page.context()
    await browser.setOffline(true)
    await hers.send("three", "四つ目", "five")
    await expect(hers.notSent).toHaveCount(3)
    await browser.setOffline(false)
    for (const room of [his, hers]) await room.expectWritten(["one", "two", "three", "四つ目", "five"])
    expect(failures).toEqual([])
  })
}
