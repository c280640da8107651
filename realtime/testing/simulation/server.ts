import * as z from "zod/mini"
import { defineChannel } from "../../channel.ts"
import { createMemoryLog, createMemoryLogStore, type MemoryLogStore } from "../../log/memory.ts"
import type { MessageLog } from "../../log/message-log.ts"
import { logUnavailable } from "../../log/record.ts"
import { type LogHead, parseUser } from "../../message.ts"
import { createRealtime } from "../../server/create-realtime.ts"
import type { Realtime } from "../../server/types.ts"
import type { Chance } from "../chance.ts"
import type { SimulatedService } from "./service.ts"

export const simulatedChannels = {
  room: defineChannel("room:{room}", {
    messages: { said: z.object({ text: z.string() }) },
    signals: { waved: z.object({ times: z.number() }) },
    presence: z.object({ mood: z.string() }),
  }),
}
export const room = simulatedChannels.room({ room: "1" })

/** What the log took, in one of its lives. */
export interface Logged {
  /** Which life of the log, counted from 0. */
  life: number
  epoch: string
  seq: number
  id: string
}

export interface SimulatedServer {
  readonly realtime: Realtime<typeof simulatedChannels>
  /** Everything that was ever logged, in order. */
  readonly logged: readonly Logged[]
  readonly life: number
  readonly epoch: string
  /** The oldest `seq` that the log keeps. */
  readonly first: number
  /** The head, past whatever is wrong with the database. */
  peek(): Promise<LogHead>
  /** The log rejects everything, or takes what it is given and can't say so. */
  database: "up" | "down" | "mute"
  /** Of a hundred messages, at how many the application's own code fails. */
  accidents: number
  serve(request: Request): Promise<Response>
  /** Deploys anew, with the providers in this order. */
  deploy(providers: readonly SimulatedService[]): void
  trim(keep: number): Promise<void>
  backUp(): void
  /** The log is what it was at the last backup, in a new life. */
  restore(): void
}

export function createSimulatedServer(chance: Chance, violations: string[]): SimulatedServer {
  const logged: Logged[] = []
  let life = 0
  let store = named(createMemoryLogStore())
  let backup = structuredClone(store)
  let current = createMemoryLog({ store })

  /** Lives have names that every run gives them again. */
  function named(store: MemoryLogStore): MemoryLogStore {
    return { ...store, epoch: `life-${life}` }
  }

  /** One round trip to the database. */
  async function ask<T>(query: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => setTimeout(resolve, chance.between(1, 10)))
    if (server.database === "down") throw logUnavailable("reach", "the database is down")
    const answer = await query()
    if (server.database === "mute") throw logUnavailable("hear", "the connection broke during the commit")
    return answer
  }

  const log: MessageLog = {
    append: (entries) =>
      ask(async () => {
        const [before] = await current.heads([room.name])
        const results = await current.append(entries)
        for (const { id, seq, epoch, isDuplicate } of results) {
          if (isDuplicate) continue
          const first = before?.first ?? 1
          if (logged.some((other) => other.life === life && other.id === id && other.seq >= first))
            violations.push(`${id} is in the log twice`)
          logged.push({ life, epoch, seq, id })
        }
        return results
      }),
    readAfter: (channel, seq, limit) => ask(() => current.readAfter(channel, seq, limit)),
    readBefore: (channel, seq, limit) => ask(() => current.readBefore(channel, seq, limit)),
    heads: (channels) => ask(() => current.heads(channels)),
    trim: (retention) => current.trim(retention),
    erase: (userId) => current.erase(userId),
    renew: () => current.renew(),
    close: async () => {},
  }

  const compose = (services: readonly SimulatedService[]) =>
    createRealtime({
      channels: simulatedChannels,
      identify: (request) => parseUser(JSON.parse(request.headers.get("x-user") ?? "null")),
      async authorize({ action }) {
        const fails = action === "publish" && server.accidents > 0 && chance.happens(server.accidents / 100)
        if (fails) throw new Error("the application's own code failed")
        return true
      },
      log,
      publishers: services.map(({ publisher }) => publisher),
      onError() {},
    })

  let realtime = compose([])
  const server: SimulatedServer = {
    get realtime() {
      return realtime
    },
    logged,
    get life() {
      return life
    },
    get epoch() {
      return store.epoch
    },
    get first() {
      const channel = store.channels.get(room.name)
      return channel ? channel.seq - channel.kept.length + 1 : 1
    },
    async peek() {
      const [head] = await current.heads([room.name])
      return head as LogHead
    },
    database: "up",
    accidents: 0,
    async serve(request) {
      const { GET, POST } = realtime.handlers
      const response = await (request.method === "POST" ? POST(request) : GET(request))
      response.headers.set("Date", new Date(Date.now()).toUTCString())
      return response
    },
    deploy(services) {
      realtime = compose(services)
    },
    async trim(keep) {
      await current.trim({ maxMessagesPerChannel: keep })
    },
    backUp() {
      backup = structuredClone(store)
    },
    restore() {
      life += 1
      store = named(structuredClone(backup))
      for (const { seq, id } of store.channels.get(room.name)?.kept ?? [])
        logged.push({ life, epoch: store.epoch, seq, id })
      current = createMemoryLog({ store })
    },
  }
  return server
}
