import { expect, test } from "./fixtures.ts"
import { countStored } from "./outbox.ts"

test("what was written without a network is sent by the next page, once and in order", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Tunnel")
  const his = await bob.joinRoom(hers.url)
  await hers.send("before")
  await his.expectWritten(["before"])

  const browser = alice.page.context()
  await browser.setOffline(true)
  await hers.send("one", "two", "三つ目")
  await expect(hers.notSent).toHaveCount(3)
  await his.expectWritten(["before"])
  // Without a goodbye: nothing of the page is left but what it has stored. Each line is on the screen before it is on the disk.
  await expect.poll(() => alice.page.evaluate(countStored)).toBe(3)
  const { url } = hers
  await alice.page.close({ runBeforeUnload: false })
  await browser.setOffline(false)

  const tab = await alice.openTab()
  const again = await tab.openRoom(url)
  const everything = ["before", "one", "two", "三つ目"]
  await his.expectWritten(everything)
  await again.expectWritten(everything)
  await tab.page.reload()
  await again.expectWritten(everything)
})

test("two tabs that come back together send nothing twice", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Two windows")
  const other = await (await alice.openTab()).openRoom(hers.url)
  const browser = alice.page.context()
  await browser.setOffline(true)
  await hers.send("first")
  await expect(hers.notSent).toHaveCount(1)
  await other.send("second")
  // Each shows what the other has in store.
  for (const tab of [hers, other]) await expect(tab.notSent).toHaveCount(2)
  await browser.setOffline(false)
  for (const tab of [hers, other]) await tab.expectWritten(["first", "second"])
})
