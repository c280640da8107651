import { expect, test } from "./fixtures.ts"

/** Words that stand in one provider's SDK and in nothing else of ours. */
const marks = {
  socketio: "io server disconnect",
  pusher: "pusher_internal:subscription_succeeded",
  ably: "x-ably-version",
}

test("the browser downloads the chosen provider's code only, and no secret", async ({ people, layout }) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const bodies: string[] = []
  page.on("response", async (response) => {
    // A response of a page that has been left has no body any more.
    bodies.push(await response.text().catch(() => ""))
  })
  await page.reload({ waitUntil: "networkidle" })
  await expect(page.locator("[data-connection=connected]")).toBeVisible()

  const chosen = (["pusher", "ably"] as const).find((name) => layout.endsWith(name)) ?? "socketio"
  await expect.poll(() => bodies.some((body) => body.toLowerCase().includes(marks[chosen]))).toBe(true)
  for (const [provider, mark] of Object.entries(marks)) {
    const isThere = bodies.some((body) => body.toLowerCase().includes(mark))
    expect([provider, isThere]).toEqual([provider, provider === chosen])
  }
  for (const secret of [
    "a secret of the browser tests",
    "another secret of the browser tests",
    "app-secret",
  ]) {
    expect(bodies.filter((body) => body.includes(secret))).toEqual([])
  }
})
