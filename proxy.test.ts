import { unstable_doesMiddlewareMatch } from "next/experimental/testing/server"
import { describe, expect, it } from "vitest"
import { config } from "./proxy.ts"

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
