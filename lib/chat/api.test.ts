import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, expect, it, vi } from "vitest"
import { askUnread, searchRoom } from "./api.ts"

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A server that takes each question and answers none, or never ends its answer. */
async function listenInSilence(isBegun: boolean) {
  const asked = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    if (isBegun) response.writeHead(200, { "Content-Type": "application/json" }).write("{")
    asked.resolve()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { fetch } = globalThis
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => fetch(origin + path, init))
  return {
    asked: asked.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

it.each([
  ["is never answered", false],
  ["is never answered to the end", true],
])("a question that %s fails in passing, and can be asked again", async (_, isBegun) => {
  await using server = await listenInSilence(isBegun)
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  const answer = askUnread("me")
  const failed = expect(answer).rejects.toMatchObject({ code: "timeout", retryable: true })
  await server.asked
  await vi.advanceTimersByTimeAsync(20_000)
  await failed
})

it("a question that is taken back ends as whoever asked says", async () => {
  await using server = await listenInSilence(false)
  const asking = new AbortController()
  const answer = searchRoom("me", "room", "words", { signal: asking.signal })
  const failed = expect(answer).rejects.toBe("another question")
  await server.asked
  asking.abort("another question")
  await failed
})
