import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { buildCanaries } from "../scripts/build-once.ts"
import { projectDir } from "../scripts/run.ts"
import { expect, test } from "./fixtures.ts"
import { signIn } from "./person.ts"

/** Words that stand in one provider's SDK and in nothing else of ours. */
const marks = {
  socketio: "io server disconnect",
  pusher: "pusher_internal:subscription_succeeded",
  ably: "x-ably-version",
}

/** The most that a provider's code may weigh, before compression: what it was measured at, and a tenth. */
const budgets = { socketio: 51_000, pusher: 84_000, ably: 158_000 }

/** Of Ably's SDK, what only the parts say that a page here has no use for; Pusher's is in one piece. */
const unusedMarks = ["getdefaultparams", "generaterandomkey"]

/** What the servers under test are given, and the build was. */
const secrets = [
  "a secret of the browser tests",
  "another secret of the browser tests",
  "app-secret",
  "canary-password",
  ...Object.values(buildCanaries),
]

test("the browser downloads the chosen provider's code only, no more of it than is used, and no secret", async ({
  browser,
  chat,
  layout,
}) => {
  const context = await browser.newContext({ baseURL: chat.url })
  const bodies: string[] = []
  context.on("response", async (response) => {
    // A response of a page that has been left has no body any more.
    bodies.push((await response.text().catch(() => "")).toLowerCase())
  })
  const { page } = await signIn(context, "Alice")
  await page.reload()
  await expect(page.locator("[data-connection=connected]")).toBeVisible()

  const chosen = (["pusher", "ably"] as const).find((name) => layout.endsWith(name)) ?? "socketio"
  const bodiesWith = (words: string) => bodies.filter((body) => body.includes(words))
  await expect.poll(() => bodiesWith(marks[chosen]).length).toBeGreaterThan(0)
  for (const [provider, mark] of Object.entries(marks))
    expect([provider, bodiesWith(mark).length > 0]).toEqual([provider, provider === chosen])
  const size = Math.max(...bodiesWith(marks[chosen]).map((body) => body.length))
  expect(size).toBeLessThan(budgets[chosen])
  for (const mark of unusedMarks) expect([mark, bodiesWith(mark).length]).toEqual([mark, 0])
  for (const secret of secrets) expect([secret, bodiesWith(secret.toLowerCase()).length]).toEqual([secret, 0])
  await context.close()
})

test("the build holds none of the secrets that stood in its environment", () => {
  expect(Object.keys(buildCanaries)).toEqual(expect.arrayContaining(["ABLY_API_KEY", "PUSHER_SECRET"]))
  const built = join(projectDir, ".next")
  const files = readdirSync(built, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/[/\\](cache|dev)([/\\]|$)/.test(entry.parentPath.slice(built.length)),
  )
  expect(files.length).toBeGreaterThan(100)
  const found = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const text = readFileSync(path, "latin1")
      return Object.values(buildCanaries).some((canary) => text.includes(canary))
    })
  expect(found).toEqual([])
})
