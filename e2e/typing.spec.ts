import { expect, test } from "./fixtures.ts"

test("one sees who else is typing, and not oneself", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Typing")
  const his = await bob.joinRoom(hers.url)
  // A signal goes to who is there when it is sent.
  await hers.expectPresent(["Alice", "Bob"])
  await his.expectPresent(["Alice", "Bob"])

  await his.composer.pressSequentially("Let me think")
  // A connection that ended meanwhile takes a signal with it; whoever types on says so again.
  await expect(async () => {
    await his.composer.press("!")
    await expect(hers.typing("Bob")).toBeVisible({ timeout: 1_000 })
  }).toPass()
  await expect(his.typing("Bob")).toHaveCount(0)
  await his.composer.press("Enter")
  await expect(hers.typing("Bob")).toHaveCount(0)
  await hers.expectWritten([/^Let me think!+$/])
})
