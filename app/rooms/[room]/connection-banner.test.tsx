import { act, cleanup, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { RealtimeClient } from "throughline/client"
import { RealtimeProvider } from "throughline/react"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import messages from "#lib/i18n/messages/en.json"
import type { CaughtUp } from "./caught-up.ts"
import { ConnectionBanner } from "./connection-banner.tsx"

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  cleanup()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const said = () => screen.getByRole("status").textContent
const wait = (ms: number) => act(() => vi.advanceTimersByTime(ms))

/** Shows it above a connection in this state, and again with what changes. */
function setup(state: string) {
  let status = { state, error: null }
  const listeners = new Set<() => void>()
  const connection = {
    get status() {
      return status
    },
    provider: "memory",
    retry() {},
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const client = { connection, open() {}, close() {} } as unknown as RealtimeClient
  const page = (caughtUp: CaughtUp | null) => (
    <NextIntlClientProvider locale="en" messages={messages as never}>
      <RealtimeProvider client={client}>
        <ConnectionBanner caughtUp={caughtUp} />
      </RealtimeProvider>
    </NextIntlClientProvider>
  )
  const { rerender } = render(page(null))
  return {
    becomes: (next: string) =>
      act(() => {
        status = { state: next, error: null }
        for (const listener of listeners) listener()
      }),
    catchesUp: (caughtUp: CaughtUp | null) => rerender(page(caughtUp)),
  }
}

it("says that the connection is gone once it is for longer than a moment", () => {
  const { becomes } = setup("connected")
  becomes("reconnecting")
  wait(1_000)
  expect(said()).toBe("")
  wait(1_000)
  expect(said()).toBe("The connection was lost. Reconnecting…")
  becomes("suspended")
  expect(said()).toContain("Still no connection.")
  expect(screen.getByRole("button", { name: "Try now" })).toBeTruthy()
  becomes("connected")
  expect(said()).toBe("Connected.")
  wait(5_000)
  expect(said()).toBe("")
})

it("says nothing of a connection that is back before anybody heard that it was gone, nor of one that is closed", () => {
  const { becomes, catchesUp } = setup("connected")
  becomes("reconnecting")
  wait(1_000)
  becomes("connected")
  catchesUp({ count: 0, recovered: true })
  expect(said()).toBe("")
  becomes("reconnecting")
  wait(2_000)
  becomes("closed")
  expect(said()).toBe("")
})

it.each([
  ["connecting", "Connecting…"],
  ["reconnecting", "The connection was lost. Reconnecting…"],
  ["suspended", "Still no connection. Trying again now and then."],
  ["failed", "The connection can't be made."],
])("says in words how it stands: %s", (state, words) => {
  setup(state)
  wait(1_600)
  expect(said()).toMatch(words)
  expect(screen.queryByRole("button") !== null).toBe(state === "suspended" || state === "failed")
})

it("says of a browser without a network that it is offline, whatever became of the connection", () => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(false)
  setup("suspended")
  wait(1_600)
  expect(said()).toMatch("You are offline. What you write is kept and sent later.")
})

it("says for a while how many messages were caught up with, and whether that was all", () => {
  const { catchesUp } = setup("connected")
  const cases: [count: number, recovered: boolean, words: string][] = [
    [0, true, ""],
    [12, true, "Caught up with 12 messages."],
    [12, false, "Caught up with 12 messages. Others are no longer kept."],
    [0, false, "What was said meanwhile is no longer kept."],
  ]
  for (const [count, recovered, words] of cases) {
    catchesUp({ count, recovered })
    expect(said()).toBe(words)
    wait(5_000)
    expect(said()).toBe("")
  }
})

it("says of several interruptions in a row the last that has news, and none of them for longer than a while", () => {
  const { becomes, catchesUp } = setup("connected")
  catchesUp({ count: 1, recovered: true })
  wait(3_000)
  expect(said()).toBe("Caught up with 1 message.")
  // Nothing came in the second one, which doesn't keep the first one's words.
  catchesUp({ count: 0, recovered: true })
  wait(900)
  expect(said()).toBe("Caught up with 1 message.")
  wait(200)
  expect(said()).toBe("")
  catchesUp({ count: 1, recovered: true })
  wait(3_000)
  catchesUp({ count: 2, recovered: true })
  wait(3_000)
  expect(said()).toBe("Caught up with 2 messages.")
  wait(1_100)
  expect(said()).toBe("")
  // What came is more than that it came.
  becomes("reconnecting")
  wait(2_000)
  becomes("connected")
  catchesUp({ count: 3, recovered: true })
  expect(said()).toBe("Caught up with 3 messages.")
})
