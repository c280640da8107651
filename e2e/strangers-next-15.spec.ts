import { type Browser, test } from "@playwright/test"
import { canInstall, makeStranger, programOf, type Stranger } from "./stranger.ts"
import { isConnected, openTwo, type ProviderName, providers, say, shows } from "./stranger-people.ts"

const next = programOf("next")

test.beforeAll(() => test.skip(!canInstall(), "npm's registry doesn't answer"))

test.describe("an app of Next.js 15", () => {
  test.describe.configure({ mode: "serial" })
  let app: Stranger

  test.beforeAll(async () => {
    app = await makeStranger("15.5.28")
    app.run("throughline", "init", "--yes", "--example", "chat")
  })
  test.afterAll(() => app?.[Symbol.dispose]())

  const talks = async (browser: Browser, args: readonly string[], provider: ProviderName) => {
    const env = { REALTIME_PROVIDER: provider, DATA_DIR: `.data/${[...args, provider].join("")}` }
    await using server = await app.start([next, ...args], { path: "/chat", env })
    await using people = await openTwo(browser, `${server.url}/chat`)
    const { alice, bob } = people
    await Promise.all([isConnected(alice, provider), isConnected(bob, provider)])
    await say(alice, "hello")
    await shows(bob, ["hello"])
  }

  // Webpack refuses what the compiler makes of Ably's code for the browsers that Next.js 15 builds for unless told.
  for (const [bundler, ...args] of [["Turbopack", "--turbopack"], ["webpack"]])
    for (const provider of providers)
      test(`talks under \`next dev\`, by ${bundler}, over ${provider}`, ({ browser }) =>
        talks(browser, ["dev", ...args], provider))

  test("is typed, found well, and built, and talks under `next start`", async ({ browser }) => {
    app.run("next", "build")
    app.run("tsc", "--noEmit")
    app.run("throughline", "doctor")
    await talks(browser, ["start"], "socketio")
  })
})
