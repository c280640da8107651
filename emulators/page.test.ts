import * as Ably from "ably"
import Pusher from "pusher"
import PusherJs from "pusher-js"
import { describe, expect, it, vi } from "vitest"
import { startAblyEmulator } from "./ably/index.ts"
import type { Controls, Traffic, View } from "./page/view.ts"
import { startPusherEmulator } from "./pusher/index.ts"

/** A limit for what never comes, not a measure: the machine may be busy. */
const patient = { timeout: 15_000 }

/** What the page knows after the events that it was sent. */
async function watch(url: string) {
  const stop = new AbortController()
  const response = await fetch(`${url}/__emulator/events`, { signal: stop.signal })
  const seen = {
    controls: undefined as Controls | undefined,
    state: undefined as View | undefined,
    traffic: [] as Traffic[],
    isOver: false,
    [Symbol.dispose]: () => stop.abort(),
  }
  const read = async () => {
    let text = ""
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      const events = text.split("\n\n")
      text = events.pop() ?? ""
      for (const event of events) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? []
        if (name === "traffic") seen.traffic.push(...JSON.parse(data ?? "").entries)
        else if (name === "state" || name === "controls") seen[name] = JSON.parse(data ?? "")
      }
    }
  }
  read()
    .catch(() => {})
    .finally(() => {
      seen.isOver = true
    })
  return seen
}

describe.each([
  ["Pusher Channels", startPusherEmulator],
  ["Ably", startAblyEmulator],
] as const)("the page of %s", (service, start) => {
  it("is served, needs nothing from elsewhere, and may not be framed", async () => {
    await using emulator = await start()
    const response = await fetch(`${emulator.url}/__emulator`)
    expect(response.url).toBe(`${emulator.url}/__emulator/`)
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8")
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'")
    expect(await response.text()).not.toMatch(/(src|href)="http/)
  })

  it("has switches that the control endpoints accept, and that it finds again", async () => {
    await using emulator = await start()
    using seen = await watch(emulator.url)
    await vi.waitFor(() => expect(seen.controls?.service).toBe(service), patient)
    const post = (endpoint: string, body: object) =>
      fetch(`${emulator.url}/__emulator/${endpoint}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      })

    const { switches = [], actions = [] } = seen.controls ?? {}
    for (const { label, fault, setting } of switches) {
      const response = fault
        ? await post("faults", fault)
        : await post(setting?.endpoint ?? "", setting?.on ?? {})
      expect({ label, isAccepted: response.ok }).toEqual({ label, isAccepted: true })
    }
    const faults = switches.flatMap(({ fault }) => fault ?? [])
    await vi.waitFor(() => {
      expect(seen.state?.faults.map(({ fault }) => fault)).toEqual(faults)
      for (const on of Object.values(seen.state?.settings ?? {})) expect(on).toBe(true)
    }, patient)

    await fetch(`${emulator.url}/__emulator/faults`, { method: "DELETE" })
    await vi.waitFor(() => expect(seen.state?.faults).toEqual([]), patient)
    for (const { label, endpoint, body } of actions)
      expect({ label, isAccepted: (await post(endpoint, body)).ok }).toEqual({ label, isAccepted: true })
  })

  it("lets the emulator close while it looks", async () => {
    const emulator = await start()
    const seen = await watch(emulator.url)
    await emulator.close()
    await vi.waitFor(() => expect(seen.isOver).toBe(true), patient)
  })
})

it("shows connections, channels, presence and messages of Pusher", async () => {
  await using emulator = await startPusherEmulator()
  const server = new Pusher(emulator.serverOptions())
  const client = new PusherJs(emulator.app().key, {
    ...emulator.clientOptions(),
    channelAuthorization: {
      transport: "ajax",
      endpoint: "",
      customHandler: ({ socketId, channelName }, callback) =>
        callback(null, server.authorizeChannel(socketId, channelName, { user_id: "ann" })),
    },
  })
  client.subscribe("presence-room")
  await vi.waitFor(() => expect(client.channel("presence-room")?.subscribed).toBe(true), patient)
  // Who looks late still sees what has passed.
  using seen = await watch(emulator.url)
  await server.trigger("presence-room", "greeting", { hello: "world" })

  await vi.waitFor(() => {
    const connection = client.connection.socket_id
    expect(seen.state?.apps).toEqual([
      expect.objectContaining({
        id: "1",
        connections: [{ id: connection, user: "ann", isOpen: true, channels: ["presence-room"] }],
        channels: [{ name: "presence-room", subscribers: 1, members: ["ann"], memberCount: 1 }],
      }),
    ])
    expect(seen.traffic.map(({ at: _, text: __, ...entry }) => entry)).toEqual([
      { from: "service", connection, name: "pusher:connection_established" },
      { from: "client", connection, name: "pusher:subscribe", channel: "presence-room" },
      {
        from: "service",
        connection,
        name: "pusher_internal:subscription_succeeded",
        channel: "presence-room",
      },
      { from: "http", name: "POST /apps/1/events 200" },
      { from: "service", connection, name: "greeting", channel: "presence-room" },
    ])
    expect(seen.traffic.at(-1)?.text).toBe('{"hello":"world"}')
  }, patient)
  client.disconnect()
  await vi.waitFor(() => expect(seen.state?.apps[0]?.connections).toEqual([]), patient)
})

it("shows connections, channels, presence and messages of Ably", async () => {
  await using emulator = await startAblyEmulator({ apps: [{ id: "app" }] })
  const client = new Ably.Realtime({ key: emulator.key, ...emulator.clientOptions, clientId: "ann" })
  const channel = client.channels.get("room")
  await channel.presence.enter()
  using seen = await watch(emulator.url)
  await channel.publish("greeting", "hello")

  await vi.waitFor(() => {
    const connection = client.connection.id
    expect(seen.state?.apps).toEqual([
      expect.objectContaining({
        id: "app",
        credentials: [`key ${emulator.key}`],
        connections: [{ id: connection, user: "ann", isOpen: true, channels: ["room"] }],
        channels: [{ name: "room", subscribers: 1, members: ["ann"], memberCount: 1 }],
      }),
    ])
    const names = seen.traffic.map(({ from, name }) => `${from} ${name}`)
    expect(names[0]).toBe("service CONNECTED")
    expect(names).toEqual(
      expect.arrayContaining(["client PRESENCE", "client MESSAGE greeting", "service ACK"]),
    )
    const delivered = seen.traffic.find(({ from, name }) => from === "service" && name === "MESSAGE greeting")
    expect(delivered).toMatchObject({ connection, channel: "room", text: expect.stringContaining('"hello"') })
  }, patient)
  client.close()
})
