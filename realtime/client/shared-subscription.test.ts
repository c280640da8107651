import { contractChannels } from "throughline/testing"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { LogHead } from "../message.ts"
import type { ChannelObserver, TransportSubscription } from "../transport.ts"
import { createSharedSubscription } from "./shared-subscription.ts"

const ref = contractChannels.room({ room: "1" })
const head: LogHead = { epoch: "e", seq: 0, first: 0 }
const denial = new RealtimeError("channel-denied", { message: "no" })

/** A provider and a channel that write down what they are told. */
function setup(ask: () => Promise<LogHead | RealtimeError> = async () => head) {
  const told: string[] = []
  const note = (text: string) => () => void told.push(text)
  let observer: ChannelObserver | undefined
  const subscription = createSharedSubscription(
    {
      ref,
      join(given) {
        observer = given
        told.push("join")
        return { unsubscribe: note("unsubscribe") } as TransportSubscription
      },
      http: { heads: async () => new Map([[ref.name, await ask()]]) } as never,
      onError() {},
    },
    {
      ...{ cursor: () => null, onMessages() {}, onSignal() {}, onPresence() {} },
      ...{ onAttached: note("attached"), onDetached: note("detached") },
      ...{ onDenied: note("denied"), onJoined: note("joined"), onLeft: note("left") },
    },
  )
  subscription.onStatus(() => told.push(`status ${subscription.status.state}`))
  return { subscription, told, provider: () => observer as ChannelObserver, note }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("a shared subscription", () => {
  it("begins with the first use and ends a task after the last, once what used it has ended", async () => {
    const { subscription, told, note } = setup()
    const ends = [subscription.use(note("end 1")), subscription.use(note("end 2"))]
    for (const end of ends) {
      end()
      end()
    }
    const stop = subscription.use()
    await vi.runAllTimersAsync()
    expect(told).toEqual(["join", "status attaching", "joined", "end 1", "end 2"])
    stop()
    await vi.runAllTimersAsync()
    expect(told.slice(5)).toEqual(["unsubscribe", "left", "status idle"])
    expect(subscription.joined).toBeNull()
  })

  it("shows its status before the channel hears that the provider delivers", () => {
    const { subscription, told, provider } = setup()
    subscription.use()
    provider().onAttached()
    provider().onDetached()
    expect(told.slice(3)).toEqual(["status attached", "attached", "status attaching", "detached"])
  })

  it("that was shut out is joined anew once the server shows somebody who asks the log's head", async () => {
    const answers: (LogHead | RealtimeError)[] = [denial, head]
    const { subscription, told } = setup(async () => answers.shift() as LogHead)
    subscription.use()
    subscription.shutOut(denial)
    expect(told.slice(3)).toEqual(["unsubscribe", "detached", "denied", "left", "status denied"])
    told.length = 0
    subscription.use()
    await vi.runAllTimersAsync()
    expect(told).toEqual(["denied"])
    subscription.use()
    await vi.runAllTimersAsync()
    expect(told.slice(1)).toEqual(["join", "status attaching", "joined"])
  })

  it("asks a server that doesn't answer again when the next one uses it", async () => {
    let asked = 0
    const { subscription } = setup(async () => {
      asked += 1
      throw new RealtimeError("timeout", { message: "away" })
    })
    subscription.use()
    subscription.shutOut(denial)
    for (const times of [1, 2]) {
      subscription.use()
      await vi.runAllTimersAsync()
      expect([asked, subscription.status.state]).toEqual([times, "denied"])
    }
  })
})
