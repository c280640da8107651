import { unstable_doesMiddlewareMatch } from "next/experimental/testing/server"
import { NextRequest } from "next/server"
import { afterEach, describe, expect, it, vi } from "vitest"
import { keptCookieOf } from "#lib/chat/kept-cookie.ts"
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

describe("the cookie that a browser has to bring back", () => {
  afterEach(() => vi.unstubAllEnvs())

  it.each([
    ["", true],
    ["https://chat.example", true],
    ["http://192.168.1.5:3000", false],
  ])("comes as the session's will, with APP_ORIGIN=%s", (origin, isSecure) => {
    vi.stubEnv("NODE_ENV", "production")
    vi.stubEnv("REALTIME_PROVIDER", "socketio")
    vi.stubEnv("SESSION_SECRET", "a session secret of this test, long enough")
    vi.stubEnv("APP_ORIGIN", origin)
    const open = (cookie: string) => proxy(new NextRequest("http://localhost:3000/", { headers: { cookie } }))
    const kept = keptCookieOf({ hasSecureCookies: isSecure })
    expect(open("").cookies.get(kept)).toMatchObject({
      ...{ value: "1", httpOnly: true, sameSite: "lax", path: "/" },
      ...(isSecure && { secure: true }),
    })
    expect(open("").headers.get("set-cookie")?.includes("Secure")).toBe(isSecure)
    expect(open(`${kept}=1`).headers.get("set-cookie")).toBeNull()
    // One that was set in the other way, as before APP_ORIGIN was changed, proves nothing.
    const other = keptCookieOf({ hasSecureCookies: !isSecure })
    expect(open(`${other}=1`).cookies.has(kept)).toBe(true)
  })
})
