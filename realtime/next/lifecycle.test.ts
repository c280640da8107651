import { expect, it, vi } from "vitest"
import { createCleanup, createLifecycle } from "./lifecycle.ts"

const ignore = () => {}

it("closes what was opened last first, each part once, whatever becomes of the others", async () => {
  const ended: string[] = []
  const lifecycle = createLifecycle<string>()
  const opened = await lifecycle.open(async (cleanup) => {
    cleanup.add("close the first", () => void ended.push("first"))
    cleanup.add("close the second", () => Promise.reject(new Error("second")))
    cleanup.add("close the third", () => {
      ended.push("third")
      throw new Error("third")
    })
    return "open"
  }, ignore)
  expect([opened, await lifecycle.open(async () => "another", ignore)]).toEqual(["open", "open"])
  const closing = lifecycle.close()
  expect(lifecycle.close()).toBe(closing)
  await expect(closing).rejects.toMatchObject({ errors: [new Error("third"), new Error("second")] })
  expect(ended).toEqual(["third", "first"])
  await lifecycle.close()
})

it("leaves what doesn't end in its time", async () => {
  const ended: string[] = []
  const cleanup = createCleanup(20)
  cleanup.add("close the log", () => void ended.push("log"))
  cleanup.add("close the gateway", () => new Promise(ignore))
  expect(await cleanup.run()).toMatchObject([
    { code: "timeout", message: expect.stringContaining("the gateway") },
  ])
  expect(ended).toEqual(["log"])
})

it("limits all of its steps together, and gives each its turn", async () => {
  const ended: string[] = []
  const cleanup = createCleanup(60_000)
  cleanup.add("close the log", () => void ended.push("log"))
  cleanup.add("close the server", () => new Promise(ignore))
  cleanup.add("close the gateway", () => new Promise(ignore))
  expect(await cleanup.run(20)).toMatchObject([{ code: "timeout" }, { code: "timeout" }])
  expect(ended).toEqual(["log"])
})

it("sets no limit around what limits its own steps", async () => {
  const ended: string[] = []
  const cleanup = createCleanup(20)
  const parts = createCleanup(20)
  parts.add("close the log", () => void ended.push("log"))
  parts.add("close one publisher", () => new Promise(ignore))
  parts.add("close another", () => new Promise(ignore))
  cleanup.addBounded(async () => expect(await parts.run()).toHaveLength(2))
  expect(await cleanup.run()).toEqual([])
  expect(ended).toEqual(["log"])
})

it("undoes what was opened before a step that fails, says what can't be undone, and tries again", async () => {
  const ended: string[] = []
  const onError = vi.fn()
  const lifecycle = createLifecycle<string>()
  const failing = lifecycle.open(async (cleanup) => {
    cleanup.add("close the first", () => void ended.push("first"))
    cleanup.add("close the second", () => Promise.reject(new Error("no end")))
    throw new Error("no log")
  }, onError)
  await expect(failing).rejects.toThrow("no log")
  expect(ended).toEqual(["first"])
  expect(onError).toHaveBeenCalledExactlyOnceWith(new Error("no end"), expect.anything())
  expect(await lifecycle.open(async () => "open", onError)).toBe("open")
})

it("waits no longer than its time for an opening that hangs, and closes what that opens later", async () => {
  const ended: string[] = []
  const lifecycle = createLifecycle<string>(20)
  const gate = Promise.withResolvers<void>()
  const opened = lifecycle.open(async (cleanup) => {
    cleanup.add("close the first", () => void ended.push("first"))
    await gate.promise
    cleanup.add("close the second", () => void ended.push("second"))
    return "open"
  }, ignore)
  await expect(lifecycle.close()).rejects.toMatchObject({ code: "timeout" })
  expect(ended).toEqual(["first"])
  expect(await lifecycle.open(async () => "another", ignore)).toBe("another")
  gate.resolve()
  await expect(opened).rejects.toMatchObject({ code: "not-connected" })
  expect(ended).toEqual(["first", "second"])
})

it("takes its steps one after the other, in whichever moment they are asked for", async () => {
  const steps: string[] = []
  const lifecycle = createLifecycle<number>()
  let number = 0
  const open = () =>
    lifecycle.open(async (cleanup) => {
      number += 1
      const own = number
      steps.push(`opening ${own}`)
      await new Promise(setImmediate)
      cleanup.add("close it", async () => {
        steps.push(`closing ${own}`)
        await new Promise(setImmediate)
        steps.push(`closed ${own}`)
      })
      return own
    }, ignore)
  const first = open()
  const closed = lifecycle.close()
  const second = open()
  const closedAgain = lifecycle.close()
  expect(lifecycle.opened).toBeUndefined()
  expect([await first, await second]).toEqual([1, 2])
  await Promise.all([closed, closedAgain])
  expect(steps).toEqual([1, 2].flatMap((n) => [`opening ${n}`, `closing ${n}`, `closed ${n}`]))
})
