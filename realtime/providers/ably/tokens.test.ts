import type { BaseRealtime } from "ably/modular"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { RealtimeError, toWireError } from "../../errors.ts"
import { createJoinedChannels } from "../../joined-channels.ts"
import type { ChannelState, Joined } from "./joined.ts"
import { createTokens } from "./tokens.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A page over a service that takes a token 100 ms after it was given. */
function createPage() {
  const failing = new Set<string>()
  const joined = createJoinedChannels<ChannelState>()
  const asked: string[][] = []
  const attached: string[] = []
  const denied: string[] = []
  const left: string[] = []
  /** What the token in use covers, and the newest one. */
  const covered = { inUse: [] as string[], newest: [] as string[] }
  const tokens = createTokens({
    channels: joined,
    retryMs: undefined,
    onJoinable: join,
    onPutOff(channel) {
      if (!channel.messages) return
      channel.messages = null
      channel.detached()
      left.push(channel.name)
    },
    onError: () => {},
    async credentials({ channels }) {
      const names = channels as string[]
      asked.push(names)
      const error = toWireError(new RealtimeError("internal", { message: "the server failed" }))
      covered.newest = names.filter((name) => !failing.has(name))
      return {
        token: "token",
        denied: Object.fromEntries(names.filter((name) => failing.has(name)).map((name) => [name, error])),
      }
    },
  })
  const client = {
    connection: { state: "connected" },
    auth: {
      async authorize() {
        await tokens.next(false)
        const { newest } = covered
        await new Promise((resolve) => setTimeout(resolve, 100))
        covered.inUse = newest
      },
    },
  } as unknown as BaseRealtime

  function join(channel: Joined): void {
    if (channel.messages) return
    if (tokens.covers(channel.name)) {
      channel.messages = {} as NonNullable<Joined["messages"]>
      expect(covered.inUse).toContain(channel.name)
      channel.attached()
      attached.push(channel.name)
    } else if (tokens.isWantedFor(channel)) void tokens.renew(client)
  }

  return {
    ...{ failing, asked, attached, denied, left },
    join(name: string) {
      const observer = {
        ...{
          cursor: () => null,
          onAttached() {},
          onDetached() {},
          onMessages() {},
          onSignal() {},
          onPresence() {},
        },
        onDenied: () => void denied.push(name),
      }
      join(joined.join(name, observer, { messages: null, signals: null, reads: 0 }))
    },
  }
}

const names = Array.from({ length: 20 }, (_, index) => `room:${index}`)

it("asks once for all that is put off, less often each time, and denies none of it", async () => {
  const page = createPage()
  for (const name of names) page.failing.add(name)
  for (const name of ["open", ...names]) page.join(name)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(page.attached).toEqual(["open"])
  // After 0.5, 1, 2, 4, 8 s, or half of each.
  expect(page.asked.length).toBeGreaterThan(4)
  expect(page.asked.length).toBeLessThan(9)
  page.failing.clear()
  await vi.advanceTimersByTimeAsync(11_000)
  expect(page.attached.toSorted()).toEqual(["open", ...names].toSorted())
  expect(page.denied).toEqual([])
})

it("attaches a channel once the service has taken the token that covers it", async () => {
  const page = createPage()
  for (const name of ["first", "second"]) page.failing.add(name)
  for (const name of ["open", "first", "second"]) page.join(name)
  await vi.advanceTimersByTimeAsync(200)
  page.failing.clear()
  // By one that comes meanwhile a token is asked for that covers those, too.
  page.join("third")
  await vi.advanceTimersByTimeAsync(50)
  expect(page.attached).toEqual(["open"])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(page.attached.toSorted()).toEqual(["first", "open", "second", "third"])
})

it("keeps one that is attached through three failures, and then lets the others go on", async () => {
  const page = createPage()
  page.join("old")
  await vi.advanceTimersByTimeAsync(200)
  page.failing.add("old")
  page.join("new")
  await vi.advanceTimersByTimeAsync(600)
  expect([page.attached, page.left]).toEqual([["old"], []])
  await vi.advanceTimersByTimeAsync(10_000)
  expect([page.attached, page.left]).toEqual([["old", "new"], ["old"]])
  page.failing.clear()
  await vi.advanceTimersByTimeAsync(11_000)
  expect(page.attached).toEqual(["old", "new", "old"])
  expect(page.denied).toEqual([])
})
