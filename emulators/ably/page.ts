import { createInspector, type Inspector } from "../page/inspector.ts"
import type { AppView, Controls } from "../page/view.ts"
import { decodeFrame } from "./codec.ts"
import type { AblyService } from "./model.ts"
import { actionName } from "./protocol.ts"
import { describeApp } from "./sandbox.ts"

const OVER_QUOTA = "The account's quota is used up"
const CLOCK_AHEAD = "The service's clock is ahead"
const delivered = { match: { direction: "outbound", action: "MESSAGE" } }

const controls: Controls = {
  service: "Ably",
  channelIn: "match",
  connectionField: "connectionId",
  switches: [
    { group: "Messages", label: "Drop messages", fault: { fault: "drop", ...delivered } },
    { group: "Messages", label: "Send messages twice", fault: { fault: "duplicate", ...delivered } },
    { group: "Messages", label: "Swap neighbours", fault: { fault: "reorder", ...delivered } },
    {
      group: "Messages",
      label: "Slow, in order",
      fault: { fault: "delay", delayMs: 500, ...delivered },
      number: { field: "delayMs", unit: "ms" },
    },
    {
      group: "Messages",
      label: "Refuse what clients publish",
      fault: { fault: "nack", code: 40160, match: { action: "MESSAGE" } },
      number: { field: "code", unit: "code" },
    },
    {
      group: "Messages",
      label: "Lose the acknowledgement",
      fault: { fault: "drop", match: { direction: "outbound", action: "ACK" } },
    },
    {
      group: "Connections",
      label: "Refuse new ones",
      fault: { fault: "refuse-connection", code: 50003 },
      number: { field: "code", unit: "code" },
    },
    {
      group: "Connections",
      label: "Refuse to attach",
      fault: { fault: "channel-error", code: 40160, match: { action: "ATTACH" } },
      number: { field: "code", unit: "code" },
    },
    { group: "Connections", label: "Lose continuity at attach", fault: { fault: "discontinuity" } },
    { group: "Connections", label: "Cut at the next message", fault: { fault: "cut", ...delivered } },
    {
      group: "Connections",
      label: "Half-open at the next message",
      fault: { fault: "half-open", ...delivered },
    },
    {
      group: "HTTP",
      label: "Refuse requests",
      fault: { fault: "refuse", statusCode: 503, code: 50003 },
      number: { field: "statusCode", unit: "status" },
    },
    {
      group: "HTTP",
      label: "Answer late",
      fault: { fault: "slow", delayMs: 2000 },
      number: { field: "delayMs", unit: "ms" },
    },
    { group: "HTTP", label: "Answer what can't be read", fault: { fault: "malformed", when: "after" } },
    { group: "HTTP", label: "Lose the request", fault: { fault: "abort" } },
    { group: "HTTP", label: "Lose the answer", fault: { fault: "abort", when: "after" } },
    {
      group: "HTTP",
      label: OVER_QUOTA,
      setting: { endpoint: "over-quota", on: { overQuota: true }, off: { overQuota: false } },
    },
    {
      group: "HTTP",
      label: CLOCK_AHEAD,
      setting: { endpoint: "clock", on: { skewMs: 900_000 }, off: { skewMs: 0 } },
      number: { field: "skewMs", unit: "ms" },
    },
  ],
  actions: [
    { label: "Drop all", endpoint: "drop-connections", body: {} },
    { label: "Disconnect (80003)", endpoint: "disconnect", body: {} },
    { label: "Fail (50000)", endpoint: "fail", body: {} },
    { label: "Ask for new tokens", endpoint: "request-reauth", body: {} },
    { label: "Expire tokens", endpoint: "expire-tokens", body: {} },
    { label: "Revoke tokens", endpoint: "revoke-tokens", body: {} },
    { label: "Forget their state", endpoint: "forget-connections", body: {} },
  ],
}

export function createAblyPage(service: AblyService): Inspector {
  return createInspector({
    controls,
    view() {
      const apps = [...service.apps.values()]
      return {
        apps: apps.map(viewOf),
        faults: service.faults
          .list()
          .map(({ id, struck, skip: _, ...fault }) => ({ id, hits: struck, fault })),
        settings: {
          [OVER_QUOTA]: apps.some((app) => app.overQuota),
          [CLOCK_AHEAD]: service.clock.skewMs !== 0,
        },
      }
    },
  })
}

/** A frame as the page's list has it. */
export function readFrame(frame: string | Uint8Array): { name: string; channel?: string; text: string } {
  try {
    const { action, channel, messages, presence, ...fields } = decodeFrame(frame)
    const names = messages?.map(({ name }) => name ?? "") ?? []
    return {
      name: [actionName(action) ?? `action ${action}`, ...names].join(" ").trimEnd(),
      ...(channel === undefined ? {} : { channel }),
      // What people look for comes first.
      text: JSON.stringify({ messages, presence, ...fields }, readable),
    }
  } catch {
    return { name: "malformed", text: typeof frame === "string" ? frame : `${frame.byteLength} bytes` }
  }
}

function readable(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `${value.byteLength} bytes` : value
}

function viewOf(app: Parameters<typeof describeApp>[0]): AppView {
  const channels = [...app.channels.values()].filter(
    ({ attachments, presence }) => attachments.size > 0 || presence.size() > 0,
  )
  return {
    id: app.id,
    credentials: describeApp(app).keys.map(({ keyStr }) => `key ${keyStr}`),
    connections: [...app.connections.values()].map(({ id, clientId, transport, attachments }) => ({
      id,
      ...(clientId === undefined ? {} : { user: clientId }),
      isOpen: transport !== undefined,
      channels: [...attachments.keys()],
    })),
    channels: channels.map(({ name, attachments, presence }) => ({
      name,
      subscribers: attachments.size,
      members: presence.list().map(({ clientId }) => clientId ?? ""),
    })),
  }
}
