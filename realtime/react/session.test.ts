// @vitest-environment jsdom
import { afterEach, expect, it, vi } from "vitest"
import { askSession } from "./session.ts"

afterEach(() => vi.unstubAllGlobals())

/** A browser's, as far as it goes: whoever asks for the same name waits for those before. */
function stubLocks(): void {
  const last = new Map<string, Promise<unknown>>()
  vi.stubGlobal("navigator", {
    locks: {
      request(name: string, task: () => Promise<unknown>) {
        const done = Promise.resolve(last.get(name)).then(task)
        last.set(
          name,
          done.catch(() => {}),
        )
        return done
      },
    },
  })
}

/** A server that lets in whoever comes without a cookie, which the browser has once the answer is there. */
function stubServer(): void {
  let made = 0
  let cookie: string | undefined
  vi.stubGlobal("fetch", async () => {
    made += cookie ? 0 : 1
    const id = cookie ?? `guest-${made}`
    await Promise.resolve()
    cookie = id
    return Response.json({ user: { id } })
  })
}

const silent = () => {}
const ask = () => askSession("/api/realtime", new AbortController().signal, silent, silent)

it("is one guest in two tabs that are opened at once", async () => {
  stubLocks()
  stubServer()
  expect(await Promise.all([ask(), ask()])).toEqual([{ id: "guest-1" }, { id: "guest-1" }])
})

it("asks at once where the browser has no locks", async () => {
  vi.stubGlobal("navigator", {})
  stubServer()
  expect(await ask()).toEqual({ id: "guest-1" })
})

it("asks all the same where the browser refuses its locks", async () => {
  vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(new Error("SecurityError")) } })
  stubServer()
  expect(await ask()).toEqual({ id: "guest-1" })
})

it("asks all the same while a tab that sleeps holds the lock", async () => {
  vi.useFakeTimers()
  vi.stubGlobal("navigator", { locks: { request: () => new Promise(() => {}) } })
  stubServer()
  const asking = ask()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await asking).toEqual({ id: "guest-1" })
  vi.useRealTimers()
})
