import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { Signal } from "../../message.ts"
import { createLatestSignals } from "./latest-signals.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const moved = (page: string, n: number, more: Partial<Signal> = {}): Signal => ({
  ...{ id: `${page} ${n}`, channel: "board:1", event: "moved", payload: n, from: { id: "alice" }, at: 0 },
  ...{ origin: { page, n }, isLatest: true, ...more },
})

function stage() {
  const packets: { ids: string[]; sender: string | null; own: string[] }[] = []
  const idsOf = (signals: readonly Signal[]) => signals.map(({ id }) => id)
  const latest = createLatestSignals({
    emit: (signals, { sender, own }) => packets.push({ ids: idsOf(signals), sender, own: idsOf(own) }),
  })
  const from = (sender: string | null) => ({ sender, isOwn: true })
  return { packets, latest, from, idsSent: () => packets.map(({ ids }) => ids) }
}

it("sends the first at once, and then everybody's newest in one packet for each interval", () => {
  const { latest, from, idsSent } = stage()
  for (let n = 1; n <= 4; n += 1)
    for (const page of ["a", "b"]) latest.send(moved(page, n, { from: { id: page } }), from(page))
  expect(idsSent()).toEqual([["a 1"]])
  vi.advanceTimersByTime(49)
  expect(idsSent()).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(idsSent()[1]?.toSorted()).toEqual(["a 4", "b 4"])
  latest.send(moved("b", 5, { from: { id: "b" } }), from("b"))
  vi.advanceTimersByTime(50)
  expect(idsSent().slice(2)).toEqual([["b 5"]])
  vi.advanceTimersByTime(50)
  expect(vi.getTimerCount()).toBe(0)
  latest.send(moved("a", 6), from("a"))
  expect(idsSent().slice(3)).toEqual([["a 6"]])
})

it("keeps apart what makes nothing else worthless: pages, events, people and channels", () => {
  const { latest, from, idsSent } = stage()
  latest.send(moved("first", 1), from("a"))
  const apart = [
    moved("a", 1),
    moved("b", 1),
    moved("a", 1, { id: "event", event: "scrolled" }),
    moved("a", 1, { id: "person", from: { id: "bob" } }),
  ]
  for (const signal of apart) latest.send(signal, from("a"))
  latest.send(moved("a", 1, { id: "channel", channel: "board:2" }), from("a"))
  expect(idsSent()).toEqual([["first 1"], ["channel"]])
  vi.advanceTimersByTime(50)
  expect(idsSent().slice(2)).toEqual([apart.map(({ id }) => id)])
})

it("puts none in a newer one's place, whichever way each came", () => {
  const { latest, from, idsSent } = stage()
  for (const n of [1, 3, 2]) latest.send(moved("a", n), from("a"))
  vi.advanceTimersByTime(50)
  expect(idsSent()).toEqual([["a 1"], ["a 3"]])
  // Server code counts nothing: its last is its newest.
  const told = (id: string) =>
    moved("", 0, { id, from: { id: "server" }, origin: undefined } as Partial<Signal>)
  for (const id of ["first", "second"]) latest.send(told(id), from(null))
  vi.advanceTimersByTime(50)
  expect(idsSent().slice(2)).toEqual([["second"]])
})

it("names the connection that a packet is all of, and what the other gateways haven't heard", () => {
  const { latest, from, packets } = stage()
  latest.send(moved("a", 1), from("a"))
  latest.send(moved("a", 2), from("a"))
  latest.send(moved("a", 2, { id: "scroll", event: "scrolled" }), from("a"))
  vi.advanceTimersByTime(50)
  latest.send(moved("a", 3), from("a"))
  latest.send(moved("b", 3, { id: "peer's" }), { sender: null, isOwn: false })
  vi.advanceTimersByTime(50)
  expect(packets.map(({ sender, own }) => [sender, own])).toEqual([
    ["a", ["a 1"]],
    ["a", ["a 2", "scroll"]],
    [null, ["a 3"]],
  ])
})

it("leaves nothing behind when it is closed", () => {
  const { latest, from, idsSent } = stage()
  for (const n of [1, 2]) latest.send(moved("a", n), from("a"))
  latest.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(idsSent()).toHaveLength(1)
})
