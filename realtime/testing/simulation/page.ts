import { type ConfiguredClient, createRealtimeClient } from "../../client/create-realtime-client.ts"
import { createMessageFeed, type MessageFeed } from "../../client/message-feed.ts"
import type { Presence } from "../../client/types.ts"
import type { Cursor, RealtimeMessage, User } from "../../message.ts"
import type { ConnectionState } from "../../transport.ts"
import type { Chance } from "../chance.ts"
import type { Browser } from "./browser.ts"
import { createLink, type Link } from "./link.ts"
import { room, type SimulatedServer } from "./server.ts"
import type { SimulatedService } from "./service.ts"

/** Where a reader stands, over all the pages that it reads on. */
export interface Reading {
  cursor: Cursor
}

/** One tab: the product's client as the chat makes it, and a list of what it was told. */
export interface Page {
  readonly user: User
  readonly link: Link
  readonly client: ConfiguredClient
  readonly feed: MessageFeed
  readonly presence: Presence
  readonly reading: Reading
  /** Ends it as a person does who closes the tab, or as a crash does. */
  end(how: "closed" | "crashed"): void
}

export interface PageOptions {
  user: User
  reading: Reading
  browser: Browser
  server: SimulatedServer
  services: readonly SimulatedService[]
  chance: Chance
  /** What may never happen, said when it does. */
  violations: string[]
  /** What readers are told, with the time. */
  tell(event: string): void
  onStored(id: string): void
  /** The server has failed at it so often that it goes only once somebody asks for it. */
  onRefused(id: string): void
}

/** The six states, and where each may lead. */
const next: Record<ConnectionState, readonly ConnectionState[]> = {
  connecting: ["connected", "reconnecting", "suspended", "failed", "closed"],
  connected: ["reconnecting", "suspended", "failed", "closed", "connecting"],
  reconnecting: ["connected", "suspended", "failed", "closed", "connecting"],
  suspended: ["connected", "reconnecting", "failed", "closed", "connecting"],
  failed: ["connecting", "connected", "reconnecting", "closed"],
  closed: [],
}

export function openPage(options: PageOptions): Page {
  const { user, reading, browser, server, services, chance, violations } = options
  const link = createLink(chance, (request) => {
    request.headers.set("x-user", JSON.stringify(user))
    return server.serve(request)
  })
  const client = createRealtimeClient({
    config: { ...server.realtime.clientConfig(), basePath: "http://simulation.test/api/realtime" },
    providers: Object.fromEntries(
      services.map((service) => [
        service.provider,
        async () =>
          ({ credentials }: { credentials: (body: Record<string, unknown>) => Promise<unknown> }) =>
            service.createTransport({ link, user, credentials }),
      ]),
    ),
    fetch: link.fetch,
    outbox: browser.place(link, options.onStored),
    onError() {},
  })
  const channel = client.channel(room)
  const who = `${user.id}'s reader`

  const ids = new Set<string>()

  /** What was handed out already is passed over; nothing else may be. */
  function isPassedOver(seq: number): boolean {
    const { epoch } = reading.cursor
    return server.logged.some((other) => other.epoch === epoch && other.seq === seq && ids.has(other.id))
  }

  function take(message: RealtimeMessage): void {
    const { cursor } = reading
    if (message.epoch !== cursor.epoch) violations.push(`${who} got ${message.epoch} in ${cursor.epoch}`)
    if (message.seq <= cursor.seq) violations.push(`${who} got ${message.seq} after ${cursor.seq}`)
    for (let seq = cursor.seq + 1; seq < message.seq; seq += 1)
      if (!isPassedOver(seq)) violations.push(`${who} got ${message.seq} after ${cursor.seq}, without ${seq}`)
    if (ids.has(message.id)) violations.push(`${who} got ${message.id} twice`)
    const isLogged = server.logged.some(
      ({ epoch, seq, id }) => epoch === message.epoch && seq === message.seq && id === message.id,
    )
    if (!isLogged) violations.push(`${who} got ${message.id}, which was never logged`)
    ids.add(message.id)
    options.tell(`${who} got ${message.epoch}:${message.seq}`)
    reading.cursor = { epoch: message.epoch, seq: message.seq }
  }

  const subscription = channel.subscribe(
    {
      onMessages: (messages) => messages.forEach(take),
      onGap({ from, to }) {
        const { cursor } = reading
        options.tell(`${who} was told of a gap from ${from} to ${to}`)
        const isNext = from > cursor.seq && (from === cursor.seq + 1 || isPassedOver(from - 1))
        if (!isNext || to < from)
          violations.push(`${who} was told of a gap from ${from} to ${to} after ${cursor.seq}`)
        if (cursor.epoch === server.epoch && to >= server.first)
          violations.push(`${who} was told of a gap up to ${to}, which the log keeps`)
        reading.cursor = { ...cursor, seq: to }
      },
      onReset({ previous, cursor }) {
        options.tell(`${who} starts over at ${cursor.epoch}:${cursor.seq}`)
        if (previous.epoch === cursor.epoch) violations.push(`${who} started over in one life of the log`)
        reading.cursor = cursor
        ids.clear()
      },
    },
    { since: { epoch: reading.cursor.epoch, seq: reading.cursor.seq } },
  )

  const waves = new Set<number>()
  channel.onSignal("waved", ({ from, payload }) => {
    const { times } = payload as { times: number }
    if (waves.has(times)) violations.push(`${who} saw wave ${times} twice`)
    if (from.id !== `person-${times % 10}`) violations.push(`${who} saw ${from.id} wave as another`)
    waves.add(times)
  })

  let state = client.connection.status.state
  client.connection.subscribe(() => {
    const now = client.connection.status.state
    if (now !== state && !next[state].includes(now)) violations.push(`${who} went from ${state} to ${now}`)
    state = now
  })

  channel.outbox.subscribe(() => {
    for (const { id, state } of channel.outbox.messages) if (state === "refused") options.onRefused(id)
  })
  const feed = createMessageFeed(channel, undefined)
  feed.start()
  channel.presence.subscribe(() => {})
  channel.presence.enter({ mood: "fine" })
  client.open()

  return {
    ...{ user, link, client, feed, presence: channel.presence },
    get reading() {
      return { cursor: subscription.cursor ?? reading.cursor }
    },
    end(how) {
      // Nothing of it runs on after either; only the network learns the difference.
      if (how === "crashed") link.isDead = true
      void client.close()
      link.isDead = true
      browser.release(link)
    },
  }
}
