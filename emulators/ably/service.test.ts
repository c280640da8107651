import { expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { Action, type ProtocolMessage } from "./protocol.ts"
import { createAblyService } from "./service.ts"

/** A client made of nothing but an array: the core needs no network. */
function connectTo(service: ReturnType<typeof createAblyService>, query: Record<string, string> = {}) {
  const [app] = service.apps.values()
  const [key] = app?.keys ?? []
  const frames: ProtocolMessage[] = []
  const session = service.accept(
    {
      send: (frame) => void frames.push(JSON.parse(String(frame))),
      ping: () => {},
      close: () => {},
      terminate: () => {},
    },
    new URLSearchParams({ key: `${key?.name}:${key?.secret}`, v: "6", ...query }),
  )
  return { frames, send: (frame: ProtocolMessage) => session.receive(JSON.stringify(frame)), session }
}

test("the core is synchronous: an answer is there when the call returns", () => {
  const service = createAblyService({ clock: createManualClock() })
  const client = connectTo(service)
  client.send({ action: Action.ATTACH, channel: "room" })
  client.send({ action: Action.MESSAGE, channel: "room", msgSerial: 0, messages: [{ data: "x" }] })
  expect(client.frames.map((frame) => frame.action)).toEqual([
    Action.CONNECTED,
    Action.ATTACHED,
    Action.MESSAGE,
    Action.ACK,
  ])
})

test("the same seed and clock give the same ids", () => {
  const idsOf = () => {
    const service = createAblyService({ seed: 42, clock: createManualClock() })
    const client = connectTo(service)
    client.send({ action: Action.ATTACH, channel: "room" })
    return JSON.stringify(client.frames)
  }
  expect(idsOf()).toBe(idsOf())
})

test("a fault that strikes while frames are delayed leaves nothing behind", () => {
  const clock = createManualClock()
  const service = createAblyService({ clock })
  const client = connectTo(service)
  service.faults.add({ fault: "delay", delayMs: 10, match: { direction: "outbound" }, times: 1 })
  client.send({ action: Action.HEARTBEAT, id: "late" })
  client.session.cut()
  clock.advance(1000)
  expect(client.frames).toHaveLength(1)
})

test("§4.5f de-duplication answers with the first answer, an error too", () => {
  const service = createAblyService({ clock: createManualClock() })
  const client = connectTo(service)
  const refused = { action: Action.MESSAGE, channel: ":bad", msgSerial: 0, messages: [{}] }
  client.send(refused)
  client.send({ ...refused, channel: "good" })
  const nacks = client.frames.filter((frame) => frame.action === Action.NACK)
  expect(nacks).toHaveLength(2)
  expect(nacks[0]).toEqual(nacks[1])
})
