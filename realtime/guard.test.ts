import { afterEach, expect, it, vi } from "vitest"
import type { OnError } from "./errors.ts"
import { createReporter, guard } from "./guard.ts"
import { createListeners } from "./listeners.ts"

afterEach(() => vi.restoreAllMocks())

const settled = () => new Promise((resolve) => setImmediate(resolve))
const failing = (message: string) => () => {
  throw new Error(message)
}

function createNotes() {
  const notes: string[] = []
  const onError: OnError = (error, { stage }) => void notes.push(`${stage}: ${(error as Error).message}`)
  return { notes, onError }
}

it("what code that isn't ours throws, or rejects with, is reported", async () => {
  const { notes, onError } = createNotes()
  guard(onError, "at once", failing("one"))
  guard(onError, "later", async () => failing("two")())
  guard(onError, "never", () => 1)
  await settled()
  expect(notes).toEqual(["at once: one", "later: two"])
})

it("an `onError` that fails itself leaves both errors in the log, and ends nothing", async () => {
  const logged = vi.spyOn(console, "error").mockReturnValue()
  const words = () => logged.mock.calls.map(([stage, error]) => `${stage} ${(error as Error).message}`)
  createReporter(failing("onError's own"))(new Error("first"), { stage: "read the log" })
  createReporter(async () => failing("onError's own")())(new Error("second"), { stage: "read the log" })
  await settled()
  expect(words()).toEqual([
    "[realtime] read the log: first",
    "[realtime] onError: onError's own",
    "[realtime] read the log: second",
    "[realtime] onError: onError's own",
  ])
})

it("listeners are told each by itself, as often as they were added, until they stop", () => {
  const { notes, onError } = createNotes()
  const listeners = createListeners<[string]>(onError, "onNews")
  const heard: string[] = []
  const hear = (news: string) => void heard.push(news)
  listeners.add(failing("a listener's own"))
  const stops = [listeners.add(hear), listeners.add(hear)]
  listeners.tell("a")
  stops[0]?.()
  stops[0]?.()
  listeners.tell("b")
  // Whoever is stopped by one that hears before them isn't called any more.
  listeners.clear()
  listeners.add(() => stopLast())
  const stopLast = listeners.add(hear)
  listeners.tell("c")
  expect(heard).toEqual(["a", "a", "b"])
  expect(notes).toEqual(["onNews: a listener's own", "onNews: a listener's own"])
  expect(listeners.size).toBe(1)
})
