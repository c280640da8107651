import { createInspector, type Inspector } from "../page/inspector.ts"
import type { AppView, Controls } from "../page/view.ts"
import type { App } from "./app.ts"
import type { Connection } from "./connection.ts"
import type { PusherEmulator } from "./emulator.ts"
import { asString, isObject, parseJson } from "./json.ts"

const controls: Controls = {
  service: "Pusher Channels",
  channelIn: "fault",
  connectionField: "socketId",
  switches: [
    { group: "Messages", label: "Drop events", fault: { kind: "drop" } },
    {
      group: "Messages",
      label: "Drop what clients send",
      fault: { kind: "drop", direction: "from-client" },
    },
    { group: "Messages", label: "Send events twice", fault: { kind: "duplicate" } },
    { group: "Messages", label: "Swap neighbours", fault: { kind: "reorder" } },
    {
      group: "Messages",
      label: "Delay some, others overtake",
      fault: { kind: "delay", delayMs: 1000 },
      number: { field: "delayMs", unit: "ms" },
    },
    {
      group: "Messages",
      label: "Slow, in order",
      fault: { kind: "slow", delayMs: 500 },
      number: { field: "delayMs", unit: "ms" },
    },
    { group: "Connections", label: "Refuse subscriptions", fault: { kind: "refuse-subscription" } },
    { group: "Connections", label: "Cut at the next event", fault: { kind: "cut", on: "event" } },
    {
      group: "Connections",
      label: "Close new ones",
      fault: { kind: "close", on: "connect", code: 4200 },
      number: { field: "code", unit: "code" },
    },
    {
      group: "Connections",
      label: "Over the connection quota",
      fault: { kind: "over-quota", quota: "connections" },
    },
    {
      group: "HTTP",
      label: "Refuse requests",
      fault: { kind: "http-refuse", status: 503 },
      number: { field: "status", unit: "status" },
    },
    {
      group: "HTTP",
      label: "Answer late",
      fault: { kind: "http-slow", delayMs: 2000 },
      number: { field: "delayMs", unit: "ms" },
    },
    { group: "HTTP", label: "Never answer", fault: { kind: "http-hang" } },
    { group: "HTTP", label: "Answer no JSON", fault: { kind: "http-malformed" } },
    { group: "HTTP", label: "Lose the request", fault: { kind: "http-cut", at: "request" } },
    { group: "HTTP", label: "Lose the answer", fault: { kind: "http-cut", at: "response" } },
    {
      group: "HTTP",
      label: "Over the message quota",
      fault: { kind: "over-quota", quota: "messages" },
    },
    {
      group: "HTTP",
      label: "The service's clock is ahead",
      fault: { kind: "clock-skew", skewMs: 900_000 },
      number: { field: "skewMs", unit: "ms" },
    },
  ],
  actions: [
    { label: "Drop all", endpoint: "drop-connections", body: {} },
    { label: "Half-open", endpoint: "faults", body: { kind: "half-open" } },
    { label: "Close: reconnect (4200)", endpoint: "faults", body: { kind: "close", code: 4200 } },
    { label: "Close: back off (4100)", endpoint: "faults", body: { kind: "close", code: 4100 } },
    { label: "Close: for good (4003)", endpoint: "faults", body: { kind: "close", code: 4003 } },
  ],
}

export function createPusherPage(emulator: PusherEmulator): Inspector {
  return createInspector({
    controls,
    view: () => ({
      apps: emulator.apps.map(viewOf),
      faults: emulator.faults.list().map(({ id, hits, fault }) => ({ id, hits, fault })),
      settings: {},
    }),
  })
}

/** A frame as the page's list has it. */
export function readFrame(frame: string | Uint8Array): { name: string; channel?: string; text: string } {
  if (typeof frame !== "string") return { name: "binary", text: `${frame.byteLength} bytes` }
  const message = parseJson(frame)
  if (!isObject(message)) return { name: "malformed", text: frame }
  const data = isObject(message.data) ? message.data : undefined
  const channel = asString(message.channel) ?? asString(data?.channel)
  return {
    name: asString(message.event) ?? "malformed",
    ...(channel === undefined ? {} : { channel }),
    text: asString(message.data) ?? JSON.stringify(message.data ?? null),
  }
}

function viewOf(app: App): AppView {
  return {
    id: app.id,
    credentials: [`app id ${app.id}`, `key ${app.key}`, `secret ${app.secret}`],
    connections: [...app.connections.values()].map((connection) => ({
      id: connection.socketId,
      ...userOf(app, connection),
      isOpen: connection.isOpen,
      channels: [...connection.subscriptions],
    })),
    channels: app.channels.occupied().map(({ name, subscribers, presence }) => ({
      name,
      subscribers: subscribers.size,
      members: presence?.ids() ?? [],
    })),
  }
}

/** Who has signed in, or else who they are in a presence channel. */
function userOf(app: App, { socketId, user, subscriptions }: Connection): { user?: string } {
  const present = [...subscriptions].map((name) => app.channels.get(name)?.presence?.userOf(socketId))
  const id = user?.id ?? present.find((one) => one !== undefined)
  return id === undefined ? {} : { user: id }
}
