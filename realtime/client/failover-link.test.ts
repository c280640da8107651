import { expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createJoinedChannels } from "../joined-channels.ts"
import { memoryCapabilities } from "../providers/memory/capabilities.ts"
import type { ChannelObserver, RealtimeTransport, TransportStatus } from "../transport.ts"
import { createLink, type Link } from "./failover-link.ts"

const no = new RealtimeError("channel-denied", { message: "no" })
const gone = new RealtimeError("unsupported", { message: "gone" })
const signal = { event: "typing" } as Parameters<ChannelObserver["onSignal"]>[0]

/** A link with one channel, as the test says it is and its provider does. */
function openLink(role: "active" | "standby" | "left") {
  let status: TransportStatus = { state: "connecting" }
  let through = {} as ChannelObserver
  const transport = {
    ...{ provider: "one", capabilities: memoryCapabilities, connect() {}, async close() {} },
    get status() {
      return status
    },
    onStatus: () => () => {},
    subscribe(_, observer) {
      through = observer
      return { watchPresence() {}, async enterPresence() {}, async leavePresence() {}, unsubscribe() {} }
    },
  } satisfies RealtimeTransport
  const heard: string[] = []
  const observer: ChannelObserver = {
    cursor: () => null,
    onAttached: () => void heard.push("attached"),
    onDetached: () => void heard.push("detached"),
    onDenied: ({ code }) => void heard.push(code),
    onMessages: () => void heard.push("messages"),
    onSignal: () => void heard.push("signal"),
    onPresence: () => void heard.push("presence"),
  }
  const other = {} as Link
  const links = { active: () => [link], standby: () => [other, link], left: () => [other] }
  let changes = 0
  const link: Link = createLink(
    { provider: "one", key: "one", create: () => transport },
    () => links[role](),
    () => {
      changes += 1
    },
    () => {},
  )
  const channel = createJoinedChannels().join("a", observer, {})
  link.join(channel)
  return {
    ...{ link, channel, heard, through },
    changes: () => changes,
    set(state: TransportStatus["state"]) {
      status = { state }
    },
  }
}

it.each([
  ["active", ["attached", "messages", "signal", "presence", "detached", "channel-denied"], 0],
  ["standby", ["messages"], 2],
  ["left", [], 0],
] as const)("of the one that is %s is heard: %j", (role, expected, expectedChanges) => {
  const { through, heard, changes } = openLink(role)
  through.onAttached()
  through.onMessages([])
  through.onSignal(signal)
  through.onPresence({ count: 1, members: null })
  through.onDetached()
  through.onDenied(no)
  expect([heard, changes()]).toEqual([expected, expectedChanges])
})

it("tells how far each channel has come when it takes over", () => {
  const { link, channel, through, heard } = openLink("standby")
  through.onAttached()
  through.onPresence({ count: 1, members: null })
  link.present(channel)
  through.onDenied(no)
  link.present(channel)
  expect(heard).toEqual(["attached", "presence", "channel-denied", "presence"])
})

it("is ready as a standby once it is connected and each channel was accepted or refused, or left", () => {
  const accepted = openLink("standby")
  accepted.through.onAttached()
  expect(accepted.link.news()).toBeNull()
  accepted.set("connected")
  expect(accepted.link.news()).toEqual({ type: "standby-ready" })
  accepted.through.onDetached()
  expect(accepted.link.news()).toBeNull()
  accepted.through.onDenied(no)
  expect(accepted.link.news()).toEqual({ type: "standby-ready" })
  const left = openLink("standby")
  left.set("connected")
  expect(left.link.news()).toBeNull()
  left.link.leave("a")
  expect([left.link.news(), left.changes()]).toEqual([{ type: "standby-ready" }, 1])
})

it("has failed where the server doesn't know the provider any more, which refuses no channel", () => {
  const { link, through, heard, changes } = openLink("active")
  through.onAttached()
  through.onDenied(gone)
  expect(link.status).toEqual({ state: "failed", error: gone })
  expect(link.news()).toEqual({ type: "active-is", state: "withdrawn" })
  expect([heard, changes()]).toEqual([["attached", "detached"], 1])
})

it.each(["active", "standby", "left"] as const)("is no news once it is closed: %s", (role) => {
  const { link, set } = openLink(role)
  set("closed")
  expect(link.news()).toBeNull()
})
