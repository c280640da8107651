import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createMemoryHub } from "../providers/memory/hub.ts"
import { createMemoryPublisher } from "../providers/memory/server.ts"
import { createInternalEndpoint } from "../providers/socketio/gateway.ts"
import { createSocketIoPublisher } from "../providers/socketio/server.ts"
import { createContractRealtime, freePort } from "../testing/index.ts"

const secret = "a secret of this test, long enough"

/** Something that listens where the gateway should be. */
async function listen(answer: RequestListener) {
  const http = createServer(answer).listen(0, "127.0.0.1")
  await new Promise((resolve) => http.once("listening", resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** A gateway, as far as an app's server sees it. */
function gateway(): RequestListener {
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 100 })
  const answer = createInternalEndpoint({ publisher: createMemoryPublisher(hub), secret })
  return (request, response) => void answer(request, response)
}

/**
 * Two pages of an app ask for what they connect to this gateway by; what stands on the
 * server's console once that was due.
 */
async function saidOf(internalUrl: string, theirs = secret): Promise<string[]> {
  const said: string[] = []
  vi.spyOn(console, "warn").mockImplementation((line: string) => void said.push(line))
  let asked: Promise<unknown> = Promise.resolve()
  const publisher = createSocketIoPublisher({
    ...{ internalUrl, secret: theirs },
    fetch(...request) {
      const answer = fetch(...request)
      asked = answer.catch(() => {})
      return answer
    },
  })
  const { handlers } = createContractRealtime({ publishers: [publisher] })
  const headers = { "content-type": "application/json", "x-contract-user": '{"id":"alice"}' }
  for (let page = 0; page < 2; page += 1) {
    const url = "http://app.test/api/realtime/credentials/socketio"
    expect((await handlers.POST(new Request(url, { method: "POST", headers, body: "{}" }))).status).toBe(200)
  }
  for (let again = 0; again < 3; again += 1) {
    await asked
    await new Promise((resolve) => setImmediate(resolve))
    await vi.advanceTimersByTimeAsync(3_000)
  }
  return said
}

describe("pages that are sent to a gateway", () => {
  beforeEach(() => {
    vi.stubEnv("NODE_ENV", "development")
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  it("which isn't there: the server's console says so in one line, and what to do, in development alone", async () => {
    await using alone = await listen((_, response) => response.writeHead(404).end("<!DOCTYPE html>"))
    for (const url of [alone.url, `http://127.0.0.1:${await freePort()}`])
      expect(await saidOf(url)).toEqual([
        expect.stringMatching(new RegExp(`^\\[realtime/socketio\\] .+${url}.+attachGateway`)),
      ])
    vi.stubEnv("NODE_ENV", "production")
    expect(await saidOf(alone.url)).toEqual([])
  })

  it("which has another secret: it says that", async () => {
    await using there = await listen(gateway())
    expect(await saidOf(there.url, "another secret, as long as that")).toEqual([
      expect.stringContaining("secret"),
    ])
  })

  it("which is there, or comes a little later: it says nothing", async () => {
    let requests = 0
    const answer = gateway()
    await using there = await listen(answer)
    await using late = await listen((request, response) => {
      requests += 1
      if (requests > 1) answer(request, response)
      else response.destroy()
    })
    expect([await saidOf(there.url), await saidOf(late.url), requests]).toEqual([[], [], 2])
  })
})
