import { expect, it } from "vitest"
import { createOutboxOrder } from "./outbox-order.ts"

const settle = () => new Promise((resolve) => setImmediate(resolve))

it("runs what was written in that order, each once it and all before it have been stored", async () => {
  const order = createOutboxOrder()
  const disk = Promise.withResolvers<void>()
  const ran: string[] = []
  order.after("a", disk.promise, () => ran.push("slow"))
  order.after("a", Promise.resolve(), () => ran.push("fast"))
  order.after("b", undefined, () => ran.push("other channel"))
  await settle()
  expect(ran).toEqual([])
  expect(["a", "b", "c"].map(order.isWaiting)).toEqual([true, true, false])
  disk.resolve()
  await settle()
  expect(ran).toEqual(["slow", "fast", "other channel"])
  expect(["a", "b", "c"].map(order.isWaiting)).toEqual([false, false, false])
})

it("has something of a channel waiting until the last of it had its turn", async () => {
  const order = createOutboxOrder()
  const disk = Promise.withResolvers<void>()
  const waits: boolean[] = []
  order.after("a", Promise.resolve(), () => waits.push(order.isWaiting("a")))
  order.after("a", disk.promise, () => waits.push(order.isWaiting("a")))
  await settle()
  disk.resolve()
  await settle()
  expect(waits).toEqual([true, false])
})

it("places what has no position, and what was stored before it, behind what had its turn", () => {
  const order = createOutboxOrder()
  const unstored = Number.POSITIVE_INFINITY
  const positions = [undefined, 4, undefined, 2, 7, unstored, 8]
  expect(positions.map((position) => order.place(position))).toEqual([0, 4, 4, 4, 7, unstored, unstored])
})
