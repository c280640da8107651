import { unstable_doesMiddlewareMatch } from "next/experimental/testing/server"
import { NextRequest } from "next/server"
import { afterEach, describe, expect, it, vi } from "vitest"
import { keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { formRefusalOf } from "#lib/security/refused-form.ts"
import { config, proxy } from "./proxy.ts"

/** By the pattern that Next.js makes of it. */
const isPage = (url: string) => unstable_doesMiddlewareMatch({ config, url })

describe("a page's policy", () => {
  it.each([
    ...["/", "/lab", "/rooms/lobby", "/rooms/lobby?x=/api/", "/invitations/x", "/nowhere/at/all"],
    ...["/socket.io-guide", "/socket.ioguide", "/socketxio", "/guides/socket.io", "/icon.svg-x", "/iconxsvg"],
    ...[
      "/icon.svg/x",
      "/api",
      "/api-guide",
      "/apis/x",
      "/_next/nothing",
      "/_next/static-x/y",
      "/_nextdoor",
      "/_next-x/y",
      "/_realtime-x",
      "/x/_next/y",
    ],
  ])("is given to %s", (url) => {
    expect(isPage(url)).toBe(true)
  })

  it.each([
    ...["/api/health", "/api/realtime/history", "/_next/static/chunk.js", "/_next/image?url=x", "/icon.svg"],
    ...["/icon.svg?0a1b", "/socket.io", "/socket.io/", "/socket.io/?EIO=4", "/_realtime/publish"],
  ])("isn't given to %s", (url) => {
    expect(isPage(url)).toBe(false)
  })
})

afterEach(() => vi.unstubAllEnvs())

function runInProduction(origin = ""): void {
  vi.stubEnv("NODE_ENV", "production")
  vi.stubEnv("REALTIME_PROVIDER", "socketio")
  vi.stubEnv("SESSION_SECRET", "a session secret of this test, long enough")
  vi.stubEnv("APP_ORIGIN", origin)
}

describe("the cookie that a browser has to bring back", () => {
  it.each([
    ["", true],
    ["https://chat.example", true],
    ["http://192.168.1.5:3000", false],
  ])("comes as the session's will, with APP_ORIGIN=%s", async (origin, isSecure) => {
    runInProduction(origin)
    const open = (cookie: string) => proxy(new NextRequest("http://localhost:3000/", { headers: { cookie } }))
    const kept = keptCookieOf({ hasSecureCookies: isSecure })
    expect((await open("")).cookies.get(kept)).toMatchObject({
      ...{ value: "1", httpOnly: true, sameSite: "lax", path: "/" },
      ...(isSecure && { secure: true }),
    })
    expect((await open("")).headers.get("set-cookie")?.includes("Secure")).toBe(isSecure)
    expect((await open(`${kept}=1`)).headers.get("set-cookie")).toBeNull()
    // One that was set in the other way, as before APP_ORIGIN was changed, proves nothing.
    const other = keptCookieOf({ hasSecureCookies: !isSecure })
    expect((await open(`${other}=1`)).cookies.has(kept)).toBe(true)
  })
})

describe("a form that is sent to a page", () => {
  const boundary = "x"
  const multipart = { "content-type": `multipart/form-data; boundary=${boundary}` }
  const field = `--${boundary}\r\nContent-Disposition: form-data; name="0"\r\n\r\n[]\r\n`
  /** What a page without scripts sends to an action that knows what it answered last. */
  const boundForm = (parts: Record<string, string>) =>
    `${Object.entries({ $ACTION_REF_1: "", ...parts })
      .map(
        ([name, value]) =>
          `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      .join("")}--${boundary}--\r\n`
  const meta = '{"id":"60ab","bound":"$@1"}'
  const action = { "next-action": "00", "content-type": "text/plain;charset=UTF-8" }
  const statusOf = async (headers: Record<string, string>, body: string) => {
    const request = new NextRequest("http://localhost:3000/", { method: "POST", headers, body })
    return [(await proxy(request)).status, await request.text()]
  }

  it.each([
    ["no part of one", multipart, "x"],
    ["nothing", multipart, ""],
    ["no end", multipart, field],
    ["no boundary", { "content-type": "multipart/form-data" }, `${field}--${boundary}--\r\n`],
    ["arguments that are no JSON", action, "x"],
    ["no arguments", action, ""],
    ["arguments that are no list", action, "5"],
    ["of no action", multipart, `${field}--${boundary}--\r\n`],
    ["of no action but a key", multipart, `${field.replace('"0"', '"$ACTION_KEY"')}--${boundary}--\r\n`],
    ["a number that is none", action, '["$nx"]'],
    ["what no page of this app sends, in the depth", action, '[{"a":["$Q1"]}]'],
    ["more arguments than React takes", action, JSON.stringify(Array(1001).fill(0))],
    [
      "an action's form without arguments",
      { ...action, ...multipart },
      `${field.replace('"0"', '"1"')}--${boundary}--\r\n`,
    ],
  ])("is answered 400 where it is %s", async (_, headers, body) => {
    runInProduction()
    expect(await statusOf(headers, body)).toEqual([400, body])
  })

  it.each<[string, Record<string, string>]>([
    ["no bound arguments", {}],
    ["bound arguments that are no JSON", { "$ACTION_1:0": meta, "$ACTION_1:1": "[" }],
    ["bound arguments that are no list", { "$ACTION_1:0": meta, "$ACTION_1:1": "5" }],
    ["bound arguments that aren't there", { "$ACTION_1:0": meta }],
    ["bound arguments of another kind", { "$ACTION_1:0": meta, "$ACTION_1:1": '["$Q1"]' }],
    ["bound arguments in a circle", { "$ACTION_1:0": '{"id":"60ab","bound":"$@0"}' }],
    [
      "more bound arguments than React takes",
      { "$ACTION_1:0": meta, "$ACTION_1:1": JSON.stringify(Array(1001).fill(0)) },
    ],
    ["an action that isn't named by text", { "$ACTION_1:0": '{"id":[],"bound":"$@1"}', "$ACTION_1:1": "[]" }],
    [
      "an action that React would decode",
      { "$ACTION_1:0": '{"id":"$1","bound":"$@1"}', "$ACTION_1:1": "[]" },
    ],
    ["an action and more", { "$ACTION_1:0": '{"id":"60ab","bound":"$@1","x":"$Q1"}', "$ACTION_1:1": "[]" }],
    ["no action's description", { "$ACTION_1:0": "null", "$ACTION_1:1": "[]" }],
  ])("is answered 400 where it has %s", async (_, parts) => {
    runInProduction()
    const body = boundForm(parts)
    expect(await statusOf(multipart, body)).toEqual([400, body])
  })

  it.each([multipart, action])("is answered 413 where it is longer than an action takes", async (headers) => {
    runInProduction()
    const body = JSON.stringify(["x".repeat(1024 * 1024)])
    expect(await statusOf(headers, body)).toEqual([413, body])
  })

  it.each([
    ["a form", multipart, `${field.replace('"0"', '"$ACTION_ID_00"')}--${boundary}--\r\n`],
    [
      "a form of bound arguments",
      multipart,
      boundForm({ "$ACTION_1:0": meta, "$ACTION_1:1": '[{"error":"rate-limited","retryAfterMs":5}]' }),
    ],
    [
      "one that has been answered nothing yet",
      multipart,
      boundForm({ "$ACTION_1:0": meta, "$ACTION_1:1": '["$undefined",null]', $ACTION_KEY: "k", name: "Aki" }),
    ],
    ["an action's form", { ...action, ...multipart }, `${field}--${boundary}--\r\n`],
    ["an action's arguments", action, '["a","$$5","$undefined",null,{"error":"cookieLost"},"$K1"]'],
    ["as many as React takes", action, JSON.stringify(Array(1000).fill(0))],
    ["what no page takes", { "content-type": "text/plain" }, "x"],
  ])("goes on to the page where it is %s", async (_, headers, body) => {
    runInProduction()
    expect(await statusOf(headers, body)).toEqual([200, body])
  })

  it.each([
    [400, "invalid-request", "x"],
    [413, "message-too-large", JSON.stringify(["x".repeat(1024 * 1024)])],
  ])("is answered %i so that our own scripts know why: %s", async (status, refusal, body) => {
    runInProduction()
    const request = new NextRequest("http://localhost:3000/", { method: "POST", headers: action, body })
    const answer = await proxy(request)
    // Under this very type Next.js' scripts hand it on.
    expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "text/plain"])
    expect(formRefusalOf(new Error(await answer.text()))).toBe(refusal)
  })

  it.each(["before", "while"])("is given up by a browser that has gone %s it is read", async (when) => {
    runInProduction()
    const gone = new AbortController()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const body = new ReadableStream({ pull: () => resolve() }, { highWaterMark: 0 })
    const init = { method: "POST", headers: action, body, duplex: "half", signal: gone.signal } as const
    if (when === "before") gone.abort()
    const answered = proxy(new NextRequest("http://localhost:3000/", init))
    if (when === "while") {
      await asked
      gone.abort()
    }
    expect((await answered).status).toBe(400)
  })
})
