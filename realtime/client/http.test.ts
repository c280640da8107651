import { describe, expect, it } from "vitest"
import { isRealtimeError, type RealtimeError } from "../errors.ts"
import { createHttp } from "./http.ts"

const page = (status: number, headers: Record<string, string> = {}) =>
  new Response("<!doctype html>", { status, headers })
const ours = (status: number, error: unknown) => Response.json({ error }, { status })

/** What the page is told when its request is answered so. */
async function outcome(
  answer: () => Response | Promise<Response>,
  timeoutMs?: number,
): Promise<RealtimeError> {
  const http = createHttp({
    basePath: "/api/realtime",
    fetch: async () => answer(),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  const error: unknown = await http.credentials("ably", {}).catch((reason: unknown) => reason)
  return isRealtimeError(error) ? error : expect.fail("it was no failure of ours")
}

describe("an answer of the server", () => {
  it.each([
    [403, { code: "channel-denied", message: "x" }, "channel-denied", false],
    [401, { code: "unauthorized", message: "x" }, "unauthorized", false],
    [429, { code: "rate-limited", message: "x", retryAfterMs: 70 }, "rate-limited", true],
    [503, { code: "log-unavailable", message: "x" }, "log-unavailable", true],
    [500, { code: "invalid-config", message: "x" }, "invalid-config", false],
    [500, { code: "internal", message: "x" }, "internal", true],
    [500, { code: "unheard-of" }, "internal", true],
    [500, "text", "internal", true],
  ])("of %d that says %j is %s", async (status, wire, code, retryable) => {
    expect(await outcome(() => ours(status, wire))).toMatchObject({ code, retryable })
  })

  it.each([
    [200, "provider-unavailable", true],
    [400, "provider-unavailable", true],
    [401, "provider-unavailable", true],
    [403, "provider-unavailable", true],
    [404, "provider-unavailable", true],
    [408, "timeout", true],
    [413, "message-too-large", false],
    [429, "rate-limited", true],
    [500, "provider-unavailable", true],
    [502, "provider-unavailable", true],
    [504, "provider-unavailable", true],
  ])("of %d that isn't ours is %s", async (status, code, retryable) => {
    const error = await outcome(() => page(status))
    expect(error).toMatchObject({ code, retryable, retryAfterMs: undefined })
    expect(error.message).toContain(`/api/realtime/credentials/ably; it answered ${status}`)
  })

  it.each([
    ["2", 2000],
    ["0", undefined],
    ["-1", undefined],
    ["999999", undefined],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  ])("that asks to come back after %s is heard", async (header, retryAfterMs) => {
    expect(await outcome(() => page(429, { "Retry-After": header }))).toMatchObject({ retryAfterMs })
  })

  it("that the session is somebody else's is told, whatever was asked, and nothing else is", async () => {
    const told: string[] = []
    let code = "session-changed"
    const http = createHttp({
      basePath: "/api/realtime",
      owner: "alice",
      fetch: async () => ours(409, { code, message: "x" }),
      onPageOver: (error) => void told.push(error.code),
    })
    await expect(http.history("room:1", {})).rejects.toMatchObject({ code, retryable: false })
    await expect(http.publish("room:1", [])).rejects.toMatchObject({ code })
    await http.checkSession()
    expect(told).toEqual([code, code, code])
    code = "conflict"
    await expect(http.publish("room:1", [])).rejects.toMatchObject({ code })
    expect(told).toHaveLength(3)
  })

  it("that never comes is a timeout, and no network is no connection", async () => {
    const never = () => new Promise<Response>(() => {})
    expect(await outcome(never, 5)).toMatchObject({
      ...{ code: "timeout", retryable: true },
      message: "[realtime] unable to reach /api/realtime/credentials/ably; there was no answer in 5 ms",
    })
    const unfinished = () => new Response(new ReadableStream())
    expect(await outcome(unfinished, 5)).toMatchObject({ code: "timeout", retryable: true })
    const offline = () => Promise.reject(new TypeError("fetch failed"))
    expect(await outcome(offline)).toMatchObject({ code: "not-connected", retryable: true })
  })
})
