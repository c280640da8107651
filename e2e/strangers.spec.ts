import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, type Page, test } from "@playwright/test"
import { projectDir } from "../scripts/run.ts"
import { canInstall, canType, makeStranger, programOf, type Stranger } from "./stranger.ts"
import { isConnected, openTwo, providers, say, shows, textsOn } from "./stranger-people.ts"

const next = programOf("next")

/** What the README has one type in an app of one's own; the last line starts it. */
const quickStart = (
  /## Add it to your app[\s\S]*?```sh\n([\s\S]*?)\n```/.exec(
    readFileSync(join(projectDir, "README.md"), "utf8"),
  )?.[1] ?? ""
).split("\n")

test.beforeAll(() => {
  test.skip(!canType(), "there is no util-linux' script, which types at a terminal")
  test.skip(!canInstall(), "npm's registry doesn't answer")
})

test.describe("an app as create-next-app makes it", () => {
  test.describe.configure({ mode: "serial" })
  let app: Stranger

  test.beforeAll(async () => {
    app = await makeStranger("16.4.3")
  })
  test.afterAll(() => app?.[Symbol.dispose]())

  test("has two browsers that talk once the README's lines were typed, without a line by hand", async ({
    browser,
  }) => {
    const began = performance.now()
    for (const line of quickStart.slice(0, -1)) app.type(line)
    await using server = await app.startLine(quickStart.at(-1) ?? "", { path: "/chat" })
    await using people = await openTwo(browser, `${server.url}/chat`)
    const { alice, bob } = people
    await Promise.all([isConnected(alice), isConnected(bob)])
    await say(alice, "hello")
    await shows(bob, ["hello"])
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`from the first line to two browsers that talk: ${seconds} s`)
  })

  test("is typed, without a fault for its linter, and built", () => {
    app.run("next", "build")
    app.run("tsc", "--noEmit")
    app.run("eslint")
    app.run("throughline", "doctor")
  })

  for (const provider of providers)
    test(`loses nothing and repeats nothing over a kill, over ${provider} by one variable, with that one's code alone`, async ({
      browser,
    }) => {
      const env = { REALTIME_PROVIDER: provider, DATA_DIR: `.data/${provider}` }
      await using servers = new AsyncDisposableStack()
      const first = servers.use(await app.start([next, "dev"], { path: "/chat", env }))
      await using people = await openTwo(browser, `${first.url}/chat`)
      const { alice, bob } = people
      await Promise.all([isConnected(alice, provider), isConnected(bob, provider)])
      await say(alice, "one")
      await shows(bob, ["one"])

      await first.kill()
      await expect(alice.getByRole("status")).not.toHaveText(`${provider}: connected`)
      await say(alice, "two")
      await say(bob, "three")
      servers.use(await app.start([next, "dev"], { path: "/chat", env, port: first.port }))
      await Promise.all([isConnected(alice, provider), isConnected(bob, provider)])
      await expect.poll(async () => (await textsOn(alice)).toSorted()).toEqual(["one", "three", "two"])
      const said = await textsOn(alice)
      await say(bob, "four")
      await Promise.all([shows(alice, [...said, "four"]), shows(bob, [...said, "four"])])
      expect(await people.downloaded()).toEqual([provider])
    })

  test("counts in two browsers what either clicks, by the other example", async ({ browser }) => {
    app.run("throughline", "init", "--yes", "--example", "counter")
    await using server = await app.start([next, "dev"], {
      path: "/counter",
      env: { DATA_DIR: ".data/counter" },
    })
    await using people = await openTwo(browser, `${server.url}/counter`)
    const { alice, bob } = people
    await Promise.all([isConnected(alice), isConnected(bob)])
    await alice.getByRole("button", { name: "0" }).click()
    await bob.getByRole("button", { name: "1" }).click()
    for (const page of [alice, bob]) await expect(page.getByRole("button", { name: "2" })).toBeVisible()
  })

  test("knows who is signed in by Auth.js, as the guide says", async ({ browser }) => {
    app.install("next-auth@5.0.0-beta.32")
    app.write("lib/auth-js.ts", authJs)
    app.write(
      "app/api/auth-js/[...nextauth]/route.ts",
      'import { handlers } from "../../../../lib/auth-js"\n\nexport const { GET, POST } = handlers\n',
    )
    identifyBy(app, "Auth.js")
    const env = { DATA_DIR: ".data/auth-js", AUTH_SECRET: "a secret of this test, long enough" }
    await using server = await app.start([next, "dev"], { path: "/chat", env })
    await using people = await openTwo(browser, `${server.url}/chat`)
    const signIn = (page: Page, name: string) =>
      page.evaluate(async (name) => {
        const { csrfToken } = await (await fetch("/api/auth-js/csrf")).json()
        const answer = await fetch("/api/auth-js/callback/credentials", {
          method: "POST",
          body: new URLSearchParams({ csrfToken, name }),
        })
        return answer.status
      }, name)
    await talkSignedIn(people, async (page, name) => {
      expect(await signIn(page, name)).toBe(200)
      await page.reload()
    })
  })

  test("knows who is signed in by Better Auth, as the guide says", async ({ browser }) => {
    app.install("better-auth@1.7.25")
    app.write("lib/auth.ts", betterAuth)
    app.write(
      "app/api/auth/[...all]/route.ts",
      'import { toNextJsHandler } from "better-auth/next-js"\nimport { auth } from "../../../../lib/auth"\n\nexport const { GET, POST } = toNextJsHandler(auth)\n',
    )
    identifyBy(app, "Better Auth")
    const env = { DATA_DIR: ".data/better-auth", BETTER_AUTH_SECRET: "a secret of this test, long enough" }
    await using server = await app.start([next, "dev"], { path: "/chat", env })
    await using people = await openTwo(browser, `${server.url}/chat`)
    const signUp = (page: Page, name: string) =>
      page.evaluate(async (name) => {
        const email = `${name.toLowerCase()}@localhost.test`
        const answer = await fetch("/api/auth/sign-up/email", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ name, email, password: "correct horse battery" }),
        })
        return answer.status
      }, name)
    await talkSignedIn(people, async (page, name) => {
      expect(await signUp(page, name)).toBe(200)
      await page.reload()
    })
  })

  test("stands behind a server and a gateway of its own, put together by hand", async ({ browser }) => {
    for (const path of ["instrumentation.ts", "app/api/realtime"]) app.remove(path)
    app.write("server.mjs", ownGateway)
    app.write("realtime/by-hand.ts", byHand)
    app.write(
      "app/api/by-hand/[...path]/route.ts",
      'import { getRealtime } from "../../../../realtime/by-hand"\n\nexport const GET = (request: Request) => getRealtime().handlers.GET(request)\nexport const POST = (request: Request) => getRealtime().handlers.POST(request)\n',
    )
    app.write("app/by-hand/page.tsx", byHandPage)
    await using server = await app.start(["server.mjs"], { path: "/by-hand" })
    const names = ["Alice", "Bob"]
    await using people = await openTwo(browser, `${server.url}/by-hand`, async (page) => {
      await page.context().addCookies([{ name: "name", value: names.shift() ?? "", url: server.url }])
    })
    const { alice, bob } = people
    await Promise.all([isConnected(alice), isConnected(bob)])
    await say(alice, "hello")
    await expect(bob.getByRole("listitem")).toHaveText(["Alice: hello"])
  })
})

const ownGateway = `import { createServer } from "node:http"
import next from "next"
import { Server } from "socket.io"
import { createSqliteLog } from "throughline/log/sqlite"
import { createRealtime } from "throughline/server"
import { mountGateway } from "throughline/socketio/gateway"
import { room } from "./realtime/channels.ts"

const io = new Server({ serveClient: false, destroyUpgrade: false })
const gateway = mountGateway({ io, secret: "a secret of this test, long enough" })
const realtime = createRealtime({
  basePath: "/api/by-hand",
  channels: { room },
  identify(request) {
    const [, name] = /name=(\\w+)/.exec(request.headers.get("cookie") ?? "") ?? []
    return name ? { id: name.toLowerCase(), name } : null
  },
  authorize: () => true,
  log: createSqliteLog({ path: ".data/by-hand/realtime.db" }),
  publishers: [gateway.publisher],
})
gateway.start(realtime.core)
globalThis.realtime = realtime

// It never listens: what Next.js does with upgrades is for those that are not the gateway's.
const ofNext = createServer()
const port = Number(process.env.PORT)
const app = next({ dev: true, port, httpServer: ofNext })
await app.prepare()
const others = app.getRequestHandler()
const http = createServer()
http.on("request", (request, response) => gateway.request(request, response) || others(request, response))
http.on("upgrade", (request, socket, head) => {
  if (!gateway.upgrade(request, socket, head)) ofNext.emit("upgrade", request, socket, head)
})
http.listen(port)
`

const byHand = `import type { Realtime } from "throughline/server"
import type { room } from "./channels"

const shared = globalThis as unknown as { realtime: Realtime<{ room: typeof room }> }

// When it is asked for: Next.js also loads a route's module in processes that aren't the server's.
export const getRealtime = () => shared.realtime
`

const byHandPage = `import { cookies } from "next/headers"
import { Suspense } from "react"
import { getRealtime } from "../../realtime/by-hand"
import { room } from "../../realtime/channels"
import { Throughline } from "../../realtime/provider"
import { Chat } from "../chat/chat"

export default function Page() {
  return (
    <Suspense>
      <Connected />
    </Suspense>
  )
}

async function Connected() {
  const name = (await cookies()).get("name")?.value
  const user = name === undefined ? null : { id: name.toLowerCase(), name }
  return (
    <Throughline config={getRealtime().clientConfig()} user={user}>
      <Chat initial={await getRealtime().history(room({ room: "lobby" }))} />
    </Throughline>
  )
}
`

/** With its tables in memory; each bundle of the app sees the same ones. */
const betterAuth = `import { betterAuth } from "better-auth"
import { memoryAdapter } from "better-auth/adapters/memory"

const shared = globalThis as { tables?: Parameters<typeof memoryAdapter>[0] }
shared.tables ??= { user: [], session: [], account: [], verification: [] }

export const auth = betterAuth({
  database: memoryAdapter(shared.tables),
  emailAndPassword: { enabled: true },
})
`

/** Whoever says a name is let in under it. */
const authJs = `import NextAuth from "next-auth"
import Credentials from "next-auth/providers/credentials"

export const { handlers } = NextAuth({
  basePath: "/api/auth-js",
  trustHost: true,
  providers: [
    Credentials({
      credentials: { name: {} },
      authorize: ({ name }) => ({ id: String(name).toLowerCase(), name: String(name) }),
    }),
  ],
})
`

/** Has the module that the guide has under this name say who is asking. */
function identifyBy(app: Stranger, name: string): void {
  const guide = readFileSync(join(projectDir, "docs/guides/identity.md"), "utf8")
  const [, recipe = ""] = guide.split(`**[${name}]`)[1]?.match(/```ts\n([\s\S]*?)```/) ?? []
  expect(recipe).toContain("export async function identify(request: Request)")
  app.write("realtime/identify.ts", recipe)
  app.write(
    "realtime/server.ts",
    `import { throughline } from "throughline/next"
import { room } from "./channels"
import { identify } from "./identify"

export const realtime = throughline({
  channels: { room },
  identify,
  authorize: () => true,
})
`,
  )
}

/** Nobody is let in; whoever is signed in talks under their own name. */
async function talkSignedIn(
  { alice, bob }: { alice: Page; bob: Page },
  signIn: (page: Page, name: string) => Promise<void>,
): Promise<void> {
  expect(await alice.evaluate(async () => (await fetch("/api/realtime/config")).status)).toBe(401)
  await signIn(alice, "Alice")
  await signIn(bob, "Bob")
  await Promise.all([isConnected(alice), isConnected(bob)])
  await say(alice, "hello")
  await expect(bob.getByRole("listitem")).toHaveText(["Alice: hello"])
}
