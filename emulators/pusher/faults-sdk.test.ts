import { describe, expect, it } from "vitest"
import { type Clock, createManualClock } from "./clock.ts"
import { startPusherEmulator } from "./server.ts"
import { createSdkClient, createServerLibrary, record, until } from "./test-clients.ts"

/** A running emulator with a client on `news`, and what reached it. */
async function start(clock?: Clock) {
  const emulator = await startPusherEmulator({ seed: 7, clock })
  const client = createSdkClient(emulator)
  const received = record(await client.subscribe("news"))
  const library = createServerLibrary(emulator)
  return {
    emulator,
    client,
    library,
    send: async (...names: string[]) => {
      for (const name of names) await library.trigger("news", name, {})
    },
    names: () => received.map(({ event }) => event),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await emulator.close()
    },
  }
}

describe("faults, as the official SDKs see them", () => {
  it("drop loses an event, and only as often as told", async () => {
    await using scene = await start()
    const fault = scene.emulator.faults.inject({ kind: "drop", channel: "news", times: 1 })
    await scene.send("lost", "kept")
    await until(() => scene.names().length === 1)
    expect(scene.names()).toEqual(["kept"])
    expect(fault.hits).toBe(1)
    expect(scene.emulator.faults.list()).toEqual([])
  })

  it("drop can let some pass first, and can be limited to an event's name", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "drop", event: "mess*", after: 1 })
    await scene.send("message", "other", "message", "last")
    await until(() => scene.names().includes("last"))
    expect(scene.names()).toEqual(["message", "other", "last"])
  })

  it("drop without an event's name leaves the protocol's own events alone", async () => {
    await using emulator = await startPusherEmulator()
    const lost = emulator.faults.inject({ kind: "drop" })
    using ann = createSdkClient(emulator, { member: { user_id: "ann" } })
    using bob = createSdkClient(emulator, { member: { user_id: "bob" } })
    const received = record(await ann.subscribe("presence-room"))
    await createServerLibrary(emulator).trigger("presence-room", "event", {})
    await bob.subscribe("presence-room")
    await until(() => received.length > 0)
    expect(received.map(({ event }) => event)).toEqual(["pusher:member_added"])
    expect(lost.hits).toBe(1)
  })

  it("duplicate repeats an event", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "duplicate", copies: 2, times: 1 })
    await scene.send("thrice", "once")
    await until(() => scene.names().includes("once"))
    expect(scene.names()).toEqual(["thrice", "thrice", "thrice", "once"])
  })

  it("reorder turns events round", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "reorder", window: 3, times: 3 })
    await scene.send("a", "b", "c", "d")
    await until(() => scene.names().length === 4)
    expect(scene.names()).toEqual(["c", "b", "a", "d"])
  })

  it("delay lets others overtake", async () => {
    const clock = createManualClock(Date.now())
    await using scene = await start(clock)
    scene.emulator.faults.inject({ kind: "delay", delayMs: 1_000, event: "late" })
    await scene.send("late", "early")
    await until(() => scene.names().length === 1)
    clock.advance(1_000)
    await until(() => scene.names().length === 2)
    expect(scene.names()).toEqual(["early", "late"])
  })

  it("slow keeps the order", async () => {
    const clock = createManualClock(Date.now())
    await using scene = await start(clock)
    scene.emulator.faults.inject({ kind: "slow", delayMs: 1_000, times: 1 })
    await scene.send("slow", "after")
    clock.advance(1_000)
    await until(() => scene.names().length === 2)
    expect(scene.names()).toEqual(["slow", "after"])
  })

  it("drop from-client loses what a client says", async () => {
    await using scene = await start()
    using other = createSdkClient(scene.emulator)
    const received = record(await other.subscribe("private-room"))
    const channel = await scene.client.subscribe("private-room")
    scene.emulator.faults.inject({ kind: "drop", direction: "from-client", event: "client-*", times: 1 })
    channel.trigger("client-typing", { n: 1 })
    channel.trigger("client-typing", { n: 2 })
    await until(() => received.length === 1)
    expect(received[0]?.data).toEqual({ n: 2 })
  })

  it.each([
    [4001, "disconnected"],
    [4100, "connected"],
    [4200, "connected"],
    [4301, "disconnected"],
  ])("§8d §8g close with %i leaves the client %s in the end", async (code, state) => {
    await using scene = await start()
    const before = scene.client.socketId
    const { hits } = scene.emulator.faults.inject({
      kind: "close",
      code,
      reason: "by a fault",
      channel: "news",
    })
    expect(hits).toBe(1)
    await until(
      () => scene.client.pusher.connection.state !== "connected" || scene.client.socketId !== before,
    )
    await until(() => scene.client.pusher.connection.state === state)
    if (code >= 4100 && code < 4300) await until(() => scene.client.socketId !== before)
    expect(scene.client.errors[0]).toEqual({ code, message: "by a fault" })
  })

  it("close on connect refuses whoever comes, until it is used up", async () => {
    await using emulator = await startPusherEmulator()
    const fault = emulator.faults.inject({ kind: "close", on: "connect", code: 4200, times: 2 })
    using client = createSdkClient(emulator)
    await client.connected()
    expect(fault.hits).toBe(2)
  })

  it("cut at an event: the event is lost with the connection", async () => {
    await using scene = await start()
    const before = scene.client.socketId
    scene.emulator.faults.inject({ kind: "cut", on: "event", event: "last-straw", times: 1 })
    await scene.send("last-straw")
    await until(() => scene.client.socketId && scene.client.socketId !== before)
    await scene.client.subscribe("news")
    await scene.send("next")
    await until(() => scene.names().includes("next"))
    expect(scene.names()).not.toContain("last-straw")
  })

  it("cut ends as many connections as it is told to", async () => {
    await using emulator = await startPusherEmulator()
    using one = createSdkClient(emulator)
    using two = createSdkClient(emulator)
    await Promise.all([one.connected(), two.connected()])
    expect(emulator.faults.inject({ kind: "cut", times: 1 }).hits).toBe(1)
    expect(emulator.app().connections.size).toBe(1)
  })

  it("§1.4b half-open is noticed by the client's own ping", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { options: { activityTimeout: 300, pongTimeout: 1_000 } })
    await client.connected()
    const before = client.socketId
    emulator.faults.inject({ kind: "half-open", socketId: before })
    await until(() => client.socketId && client.socketId !== before)
    // The service still believes in the old one.
    expect(emulator.app().connections.has(before)).toBe(true)
  })

  it("error is told and changes nothing", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "error", code: 4301, message: "by a fault" })
    await until(() => scene.client.errors.length === 1)
    expect(scene.client.errors[0]).toEqual({ code: 4301, message: "by a fault" })
    expect(scene.client.pusher.connection.state).toBe("connected")
  })

  it("refuse-subscription refuses one channel", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "refuse-subscription", channel: "private-*", error: "by a fault" })
    const received = record(scene.client.pusher.subscribe("private-room"))
    await until(() => received.length === 1)
    expect(received[0]).toEqual({
      event: "pusher:subscription_error",
      data: { type: "AuthError", error: "by a fault", status: 401 },
    })
    await scene.client.subscribe("other")
  })

  it("over-quota closes newcomers with 4004 or answers 403", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "over-quota", quota: "connections" })
    using other = createSdkClient(scene.emulator)
    await until(() => other.pusher.connection.state === "disconnected")
    expect(other.errors[0]).toEqual({ code: 4004, message: "Application is over connection quota" })
    scene.emulator.faults.inject({ kind: "over-quota", quota: "messages", times: 1 })
    await expect(scene.send("refused")).rejects.toMatchObject({ status: 403 })
    await scene.send("accepted")
  })

  it("clock-skew makes every signature too old", async () => {
    await using scene = await start()
    const fault = scene.emulator.faults.inject({ kind: "clock-skew", skewMs: 11 * 60_000 })
    await expect(scene.send("event")).rejects.toMatchObject({
      status: 401,
      body: expect.stringContaining("Timestamp expired"),
    })
    fault.remove()
    await scene.send("event")
  })

  it("a fault of the HTTP API may be limited to a route", async () => {
    await using scene = await start()
    const fault = scene.emulator.faults.inject({
      kind: "http-refuse",
      status: 503,
      route: "terminate_connections",
    })
    await scene.send("event")
    await expect(scene.library.terminateUserConnections("ann")).rejects.toMatchObject({ status: 503 })
    await scene.library.get({ path: "/channels" })
    expect(fault.hits).toBe(1)
  })

  it("clock-skew and over-quota may be limited to an app", async () => {
    const apps = [
      { id: "1", key: "one-key", secret: "one-secret" },
      { id: "2", key: "two-key", secret: "two-secret" },
    ]
    await using emulator = await startPusherEmulator({ apps })
    const [one, two] = ["1", "2"].map((id) => createServerLibrary(emulator, id))
    emulator.faults.inject({ kind: "clock-skew", skewMs: -11 * 60_000, app: "1" })
    emulator.faults.inject({ kind: "over-quota", quota: "messages", app: "two-key" })
    await expect(one?.trigger("news", "event", {})).rejects.toMatchObject({ status: 401 })
    await expect(two?.trigger("news", "event", {})).rejects.toMatchObject({ status: 403 })
  })

  it("http-refuse answers with a status and has no effect", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({
      kind: "http-refuse",
      status: 500,
      body: "by a fault",
      route: "events",
      times: 1,
    })
    await expect(scene.send("refused")).rejects.toMatchObject({ status: 500, body: "by a fault\n" })
    await scene.send("accepted")
    await until(() => scene.names().length > 0)
    expect(scene.names()).toEqual(["accepted"])
  })

  it("http-malformed takes effect and answers nonsense", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "http-malformed", channel: "news" })
    const response = await scene.library.trigger("news", "event", {})
    await expect(response.json()).rejects.toThrow()
    await until(() => scene.names().includes("event"))
  })

  it("http-cut at the response takes effect without its sender knowing, at the request it doesn't", async () => {
    await using scene = await start()
    scene.emulator.faults.inject({ kind: "http-cut", at: "response", times: 1 })
    await expect(scene.send("delivered")).rejects.toThrow("Request failed")
    scene.emulator.faults.inject({ kind: "http-cut", at: "request", times: 1 })
    await expect(scene.send("lost")).rejects.toThrow("Request failed")
    await scene.send("last")
    await until(() => scene.names().includes("last"))
    expect(scene.names()).toEqual(["delivered", "last"])
  })

  it("http-hang is never answered; http-slow is, later", async () => {
    await using scene = await start()
    const library = createServerLibrary(scene.emulator, undefined, { timeout: 50 })
    scene.emulator.faults.inject({ kind: "http-hang", times: 1 })
    await expect(library.trigger("news", "event", {})).rejects.toThrow("Request failed")
    scene.emulator.faults.inject({ kind: "http-slow", delayMs: 5, times: 1 })
    await scene.send("slow")
    await until(() => scene.names().includes("slow"))
  })

  it("is steered from another process by HTTP", async () => {
    await using scene = await start()
    const control = `${scene.emulator.url}/__emulator`
    const call = async (method: string, path: string, body?: object) => {
      const headers = body ? { "content-type": "application/json" } : undefined
      const response = await fetch(`${control}${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
      })
      return {
        status: response.status,
        body: (await response.json().catch(() => null)) as Record<string, unknown>,
      }
    }
    const created = await call("POST", "/faults", { kind: "drop", channel: "news" })
    expect(created).toMatchObject({
      status: 201,
      body: { fault: { kind: "drop", channel: "news" }, hits: 0 },
    })
    await scene.send("lost")
    expect(await call("GET", "/faults")).toMatchObject({ body: [{ id: created.body.id, hits: 1 }] })
    expect(await call("DELETE", `/faults/${created.body.id}`)).toMatchObject({ status: 200 })
    expect(await call("DELETE", `/faults/${created.body.id}`)).toMatchObject({ status: 404 })
    for (const wrong of [
      {},
      { kind: "nonsense" },
      { kind: "drop", chanel: "news" },
      { kind: "drop", channel: 1 },
      { kind: "drop", times: "once" },
      { kind: "delay" },
      { kind: "close", code: 1006 },
      { kind: "close", code: null },
      { kind: "drop", times: null },
      { kind: "drop", times: -1 },
      { kind: "drop", probability: 2 },
      { kind: "cut", on: "sunday" },
      ...[99, 101, 204.5, 600, 1e9].map((status) => ({ kind: "http-refuse", status })),
      ...[-1, 0.5, 1e9].map((copies) => ({ kind: "duplicate", copies })),
      ...[-1, 1e12].map((delayMs) => ({ kind: "delay", delayMs })),
      { kind: "reorder", window: 1e9 },
      { kind: "clock-skew", skewMs: 1e300 },
      { kind: "http-cut" },
      JSON.parse('{"kind":"drop","__proto__":1}'),
    ])
      expect(await call("POST", "/faults", wrong)).toMatchObject({ status: 400 })
    for (const code of [null, 4301, undefined])
      expect(await call("POST", "/faults", { kind: "error", code, message: "by a fault" })).toMatchObject({
        status: 201,
        body: { fault: { code: code ?? null } },
      })
    expect(() => scene.emulator.faults.inject({ kind: "http-refuse", status: 1 })).toThrow("from 200 to 599")
    expect(await call("POST", "/drop-connections", { channel: 1 })).toMatchObject({ status: 400 })
    expect((await fetch(`${control}/faults`, { method: "POST", body: "{}" })).status).toBe(415)
    const headers = { "content-type": "application/json" }
    expect((await fetch(`${control}/faults`, { method: "POST", headers, body: "[" })).status).toBe(400)
    expect(await call("GET", "/state")).toMatchObject({
      body: [{ id: "1", channels: [{ name: "news", subscription_count: 1 }] }],
    })
    expect(await call("POST", "/drop-connections", {})).toMatchObject({ body: { dropped: 1 } })
  })

  it("a fault of one app, or of one connection, leaves the others alone", async () => {
    const apps = [
      { id: "1", key: "one-key", secret: "one-secret" },
      { id: "2", key: "two-key", secret: "two-secret" },
    ]
    await using emulator = await startPusherEmulator({ apps })
    using first = createSdkClient(emulator)
    using second = createSdkClient(emulator)
    // In this order an event goes to the second before it goes to the first.
    const atSecond = record(await second.subscribe("news"))
    const atFirst = record(await first.subscribe("news"))
    const ofTwo = emulator.faults.inject({ kind: "http-refuse", status: 500, app: "two-key" })
    emulator.faults.inject({ kind: "drop", socketId: first.socketId, times: 1 })
    const library = createServerLibrary(emulator, "1")
    await library.trigger("news", "event", {})
    await library.trigger("news", "last", {})
    await until(() => atFirst.length === 1 && atSecond.length === 2)
    expect(atFirst[0]?.event).toBe("last")
    await expect(createServerLibrary(emulator, "2").trigger("news", "event", {})).rejects.toMatchObject({
      status: 500,
    })
    expect(ofTwo.hits).toBe(1)
  })

  it("a close code that no frame may carry is the caller's mistake", async () => {
    await using emulator = await startPusherEmulator()
    expect(() => emulator.faults.inject({ kind: "close", code: 1006, on: "event" })).toThrow(TypeError)
  })

  it("the same seed loses the same events", async () => {
    const lost = async () => {
      await using scene = await start()
      scene.emulator.faults.inject({ kind: "drop", probability: 0.5, event: "event-*" })
      const names = Array.from({ length: 20 }, (_, index) => `event-${index}`)
      await scene.send(...names, "last")
      await until(() => scene.names().includes("last"))
      return scene.names()
    }
    const first = await lost()
    expect(first.length).toBeLessThan(21)
    expect(first.length).toBeGreaterThan(1)
    expect(await lost()).toEqual(first)
  })
})
