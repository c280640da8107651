import { describe, expect, it } from "vitest"
import { createJoinedChannels } from "./joined-channels.ts"
import type { ChannelObserver } from "./transport.ts"

/** Writes down what it is told. */
function createObserver() {
  const told: string[] = []
  const observer = {
    onAttached: (page?: unknown) => void told.push(page ? "attached with a page" : "attached"),
    onDetached: () => void told.push("detached"),
  } as unknown as ChannelObserver
  return { told, observer }
}

describe("the channels that a client takes part in", () => {
  it("tells of each attachment, and of an interruption only where there was one", () => {
    const channels = createJoinedChannels()
    const { told, observer } = createObserver()
    const channel = channels.join("room:1", observer, {})
    channel.detached()
    channel.attached()
    channel.attached({ head: { epoch: "e", seq: 0, first: 1 }, messages: [] })
    expect(channel.isAttached).toBe(true)
    channels.detachAll()
    channels.detachAll()
    expect(channel.isAttached).toBe(false)
    expect(told).toEqual(["attached", "attached with a page", "detached"])
  })

  it("is left once, and stays left when its name is joined again", () => {
    const channels = createJoinedChannels<{ mark: string }>()
    const { observer } = createObserver()
    const first = channels.join("room:1", observer, { mark: "first" })
    const second = channels.join("room:1", observer, { mark: "second" })
    expect([first.isCurrent(), second.isCurrent(), first.leave()]).toEqual([false, true, false])
    expect(channels.get("room:1")?.mark).toBe("second")
    expect([second.leave(), second.leave(), second.isCurrent(), [...channels]]).toEqual([
      true,
      false,
      false,
      [],
    ])
  })

  it("knows the last attempt of a channel that is joined still", () => {
    const channels = createJoinedChannels()
    const channel = channels.join("room:1", createObserver().observer, {})
    const isFirst = channel.beginAttempt()
    expect(isFirst()).toBe(true)
    const isSecond = channel.beginAttempt()
    expect([isFirst(), isSecond()]).toEqual([false, true])
    channels.clear()
    expect(isSecond()).toBe(false)
  })

  it("goes back to what others see where presence is refused, or to nothing", () => {
    const channel = createJoinedChannels().join("room:1", createObserver().observer, {})
    channel.data = "refused at first"
    expect(channel.wantsPresence).toBe(true)
    channel.dataRefused()
    expect([channel.data, channel.wantsPresence]).toEqual([undefined, false])
    channel.data = channel.entered = "seen"
    channel.data = "refused"
    channel.dataRefused()
    expect([channel.data, channel.entered]).toEqual(["seen", "seen"])
    channel.dataRefused()
    expect([channel.data, channel.entered]).toEqual([undefined, undefined])
  })
})
