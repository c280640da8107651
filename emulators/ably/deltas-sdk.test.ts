import * as vcdiff from "@ably/vcdiff-decoder"
import { describe, expect, test } from "vitest"
import { FORMATS, openRaw, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

const options = { params: { delta: "vcdiff" } }
const states = [
  { count: 1, status: "active, as it has been since the beginning" },
  { count: 2, status: "active, as it has been since the beginning" },
  { count: 2, status: "inactive, as it has never been before" },
  { count: 3, status: "inactive, as it has never been before" },
]

/** The vendor's plugin, and how often it was asked. */
function createPlugin() {
  const plugin = {
    calls: 0,
    decode(delta: Uint8Array, base: Uint8Array) {
      plugin.calls += 1
      return vcdiff.decode(delta, base)
    },
  }
  return plugin
}

describe.each(FORMATS)("deltas ($format)", ({ useBinaryProtocol }) => {
  test.each([
    ["objects", states],
    ["text", states.map((state) => JSON.stringify(state))],
    ["bytes", states.map((state) => Buffer.from(JSON.stringify(state)))],
  ])("§5.1t the first message comes whole, the others as deltas: %s", async (_what, data) => {
    await using emulator = await startAblyEmulator()
    const plugin = createPlugin()
    await using client = openRealtime(emulator, { useBinaryProtocol, plugins: { vcdiff: plugin } })
    const channel = client.channels.get("room", options)
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    expect(channel.params).toEqual({ delta: "vcdiff" })
    for (const one of data) await channel.publish("state", one)
    await until(() => expect(received).toHaveLength(4))
    expect(received).toEqual(data)
    expect(plugin.calls).toBe(3)
    const history = await openRest(emulator).channels.get("room").history({ direction: "forwards" })
    expect(history.items.map((message) => message.data)).toEqual(data)
  })

  test("§5.1t who can't apply a delta attaches from before it, and is sent it whole", async () => {
    await using emulator = await startAblyEmulator()
    const plugin = createPlugin()
    await using client = openRealtime(emulator, { useBinaryProtocol, plugins: { vcdiff: plugin } })
    const channel = client.channels.get("room", options)
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    const rest = openRest(emulator).channels.get("room")
    await rest.publish("state", states[0])
    const reattached = channel.once("attaching")
    // The delta after it has a base that the client has never seen.
    emulator.faults.add({ fault: "drop", match: { direction: "outbound", action: "MESSAGE" }, times: 1 })
    for (const state of states.slice(1)) await rest.publish("state", state)
    expect((await reattached).reason?.code).toBe(40018)
    await until(() => expect(received).toEqual(states))
  })

  test("§5.1t without the SDK's plugin the first delta fails the channel", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room", options)
    await channel.attach()
    const failed = channel.once("failed")
    for (const state of states) await openRest(emulator).channels.get("room").publish("state", state)
    expect((await failed).reason?.code).toBe(40019)
  })

  test("§5.1t what has little in common with the message before it comes whole", async () => {
    await using emulator = await startAblyEmulator()
    const plugin = createPlugin()
    await using client = openRealtime(emulator, { useBinaryProtocol, plugins: { vcdiff: plugin } })
    const channel = client.channels.get("room", options)
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    for (const one of ["entirely one thing", "and now for something else", undefined, "after nothing"])
      await channel.publish("m", one)
    await until(() => expect(received).toHaveLength(4))
    expect(plugin.calls).toBe(0)
  })
})

test("§5.1t on the wire: the steps of the encoding, whence the difference is, and the whole after each ATTACH", async () => {
  await using emulator = await startAblyEmulator()
  const rest = openRest(emulator).channels.get("room")
  await using socket = await openRaw(emulator)
  const received = () => socket.frames.flatMap((frame) => frame.messages ?? [])
  const nextOf = async (state: object) => {
    const before = received().length
    await rest.publish({ name: "state", data: state, extras: { headers: { kept: true } } })
    return until(() => received()[before] ?? expect.fail("nothing came"))
  }
  const attach = async () => {
    const count = socket.frames.length
    socket.send({ action: 10, channel: "room", params: { delta: "vcdiff" } })
    const { params } = await until(
      () => socket.frames.slice(count).find(({ action }) => action === 11) ?? expect.fail("not attached"),
    )
    expect(params).toEqual({ delta: "vcdiff" })
  }
  const [one, two, three, four] = states as [object, object, object, object]
  const extras = { headers: { kept: true } }

  await attach()
  const first = await nextOf(one)
  expect(first).toMatchObject({ data: JSON.stringify(one), encoding: "json", extras })
  const second = await nextOf(two)
  expect(second).toMatchObject({
    encoding: "json/utf-8/vcdiff/base64",
    extras: { ...extras, delta: { from: first.id, format: "vcdiff" } },
  })
  const base = Buffer.from(JSON.stringify(one))
  const decoded = vcdiff.decode(Buffer.from(String(second.data), "base64"), base)
  expect(Buffer.from(decoded).toString("utf8")).toBe(JSON.stringify(two))

  await attach()
  const third = await nextOf(three)
  expect(third).toMatchObject({ data: JSON.stringify(three), encoding: "json", extras })
  expect(third.extras).not.toHaveProperty("delta")
  expect((await nextOf(four)).extras).toMatchObject({ delta: { from: third.id, format: "vcdiff" } })
})

test("§5.1t another kind of delta isn't confirmed", async () => {
  await using emulator = await startAblyEmulator()
  await using client = openRealtime(emulator)
  const channel = client.channels.get("room", { params: { delta: "xdelta" } })
  await channel.attach()
  expect(channel.params).toEqual({})
})
