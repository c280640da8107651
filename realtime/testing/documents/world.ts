import * as Y from "yjs"
import { defineChannel } from "../../channel.ts"
import { createRealtimeClient } from "../../client/create-realtime-client.ts"
import { isRealtimeError } from "../../errors.ts"
import { createMemoryLog, createMemoryLogStore } from "../../log/memory.ts"
import type { MessageLog } from "../../log/message-log.ts"
import { logUnavailable } from "../../log/record.ts"
import { parseUser } from "../../message.ts"
import { createRealtime } from "../../server/create-realtime.ts"
import { createDocumentCompactor } from "../../yjs/compactor.ts"
import { createMemoryDocuments, type DocumentStore } from "../../yjs/document-store.ts"
import type { SharedDocument } from "../../yjs/document-types.ts"
import { openDocument } from "../../yjs/open-document.ts"
import { yjsUpdate } from "../../yjs/schema.ts"
import type { Chance } from "../chance.ts"
import { createLink, type Link, type Weather } from "../simulation/link.ts"
import { createSimulatedService, noFaults, type SimulatedService } from "../simulation/service.ts"
import type { VirtualClock } from "../simulation/virtual-clock.ts"

const channels = {
  document: defineChannel("document:{document}", { messages: { update: yjsUpdate() } }),
}
export const simulatedDocument = channels.document({ document: "1" })

/** One person's page with the document, until it is reloaded. */
export interface DocumentPage {
  readonly person: number
  readonly link: Link
  readonly document: SharedDocument
  /** What was in the log for sure, as the page was told; null: nothing yet. */
  acknowledged(): Y.Snapshot | null
  end(how: "closed" | "crashed"): Promise<void>
}

/** A server with one document, a provider, and people who write to it, each with a browser that keeps it. */
export interface DocumentWorld {
  readonly pages: DocumentPage[]
  readonly failures: string[]
  readonly service: SimulatedService
  open(person: number): DocumentPage
  compact(): Promise<void>
  trim(): Promise<void>
  head(): Promise<{ seq: number; first: number }>
  /** What somebody reads who comes now, from the log alone. */
  database: "up" | "down" | "mute"
}

const never = new Promise<never>(() => {})

function createServer(chance: Chance, world: () => DocumentWorld, services: () => SimulatedService[]) {
  const store = { ...createMemoryLogStore(), epoch: "only-life" }
  const memory = createMemoryLog({ store })
  async function ask<T>(query: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => setTimeout(resolve, chance.between(1, 10)))
    if (world().database === "down") throw logUnavailable("reach", "the database is down")
    const answer = await query()
    if (world().database === "mute") throw logUnavailable("hear", "the connection broke during the commit")
    return answer
  }
  const log: MessageLog = {
    ...memory,
    append: (entries) => ask(() => memory.append(entries)),
    readAfter: (...query) => ask(() => memory.readAfter(...query)),
    readBefore: (...query) => ask(() => memory.readBefore(...query)),
    heads: (names) => ask(() => memory.heads(names)),
  }
  const realtime = createRealtime({
    ...{ channels, log, authorize: () => true, onError() {} },
    identify: (request) => parseUser(JSON.parse(request.headers.get("x-user") ?? "null")),
    publishers: services().map(({ publisher }) => publisher),
  })
  return { memory, realtime }
}

/**
 * A disk does one thing after the other, and takes its time, now and then more than a page waits before it
 * reads the log. A page that is gone hears nothing of it.
 */
function slow(link: Link, store: DocumentStore, chance: Chance): DocumentStore {
  let last: Promise<unknown> = Promise.resolve()
  function work<T>(task: () => Promise<T>): Promise<T> {
    const ms = chance.happens(0.02) ? chance.between(300, 4_000) : chance.between(1, 20)
    const own = last.then(async () => {
      await new Promise<void>((resolve) => setTimeout(resolve, ms))
      return link.isDead ? never : task()
    })
    last = own
    return own
  }
  return {
    open: (...asked) => work(() => store.open(...asked)),
    put(channel, page, kept) {
      // As the browser copies it: at once.
      const copy = structuredClone(kept)
      return work(() => store.put(channel, page, copy))
    },
    remove: (...asked) => work(() => store.remove(...asked)),
    close() {},
  }
}

export function createDocumentWorld(chance: Chance, isOwn: boolean): DocumentWorld {
  const failures: string[] = []
  const stores = new Map<number, DocumentStore>()
  const pages: DocumentPage[] = []
  const service = createSimulatedService(
    {
      ...{ provider: "service", signalsOverConnection: true },
      ...{ publishesOverConnection: isOwn, catchesUpOnSubscribe: isOwn },
    },
    { chance, core: () => realtime.core },
  )
  const { realtime, memory } = createServer(
    chance,
    () => world,
    () => [service],
  )
  const compactor = createDocumentCompactor({ realtime, onError() {} })

  async function serve(request: Request): Promise<Response> {
    const { GET, POST } = realtime.handlers
    const response = await (request.method === "POST" ? POST(request) : GET(request))
    response.headers.set("Date", new Date(Date.now()).toUTCString())
    return response
  }

  const world: DocumentWorld = {
    ...{ pages, failures, service, database: "up" },
    open(person) {
      const user = { id: `person-${person}` }
      const link = createLink(chance, (request) => {
        request.headers.set("x-user", JSON.stringify(user))
        return serve(request)
      })
      const client = createRealtimeClient({
        config: { ...realtime.clientConfig(), basePath: "http://simulation.test/api/realtime" },
        providers: {
          service: async () => (options) =>
            service.createTransport({
              ...{ link, user },
              credentials: options.credentials as (body: Record<string, unknown>) => Promise<unknown>,
            }),
        },
        fetch: link.fetch,
        onError(error, { stage }) {
          if (link.isDead) return
          // A browser that died keeps nothing any more, and all that are here wait less from then on.
          if (isRealtimeError(error) && error.code === "timeout" && stage === "keep the document") return
          if (stage.endsWith("the document") || stage === "apply an update")
            failures.push(`${stage}: ${(error as Error).message}`)
        },
      })
      const store = stores.get(person) ?? createMemoryDocuments()
      stores.set(person, store)
      const document = openDocument(client.channel(simulatedDocument), { store: slow(link, store, chance) })
      let acknowledged: Y.Snapshot | null = null
      document.subscribe(() => {
        if (link.isDead) return
        if (document.status.state === "synced") acknowledged = Y.snapshot(document.doc)
        if (document.status.error) failures.push(`${document.status.state}: ${document.status.error.message}`)
      })
      client.open()
      const page: DocumentPage = {
        ...{ person, link, document },
        acknowledged: () => acknowledged,
        async end(how) {
          if (how === "closed") await document.close()
          link.isDead = true
          void document.close()
          void client.close()
        },
      }
      pages.push(page)
      return page
    },
    async compact() {
      await compactor.compact(simulatedDocument, { always: chance.happens(0.5) }).catch((error: Error) => {
        if (world.database === "up") failures.push(`compact: ${error.message}`)
      })
    },
    async trim() {
      await memory.trim({ covered: true })
    },
    async head() {
      const [head] = await memory.heads([simulatedDocument.name])
      return head ?? { seq: 0, first: 1 }
    },
  }
  return world
}

const weathers: readonly Weather[] = ["cut", "deaf", "hanging", "bad gateway", "changeable"]

/** One thing that goes wrong, and how it ends. */
export function befall(world: DocumentWorld, chance: Chance, clock: VirtualClock): (() => void) | undefined {
  const { service, pages } = world
  const page = chance.pick(pages)
  switch (chance.between(0, 6)) {
    case 0:
      page.link.weather = chance.pick(weathers)
      if (page.link.weather === "cut") service.cut({ link: page.link, isNoticed: chance.happens(0.5) })
      return () => {
        page.link.weather = "fine"
      }
    case 1:
      service.faults.isDown = true
      service.cut()
      return () => {
        service.faults.isDown = false
      }
    case 2:
      service.faults.reception = chance.pick(["refuses", "hangs", "takes and fails"] as const)
      return () => {
        service.faults.reception = "takes"
      }
    case 3:
    case 4: {
      const worse = {
        ...{ drops: chance.between(0, 60), duplicates: chance.between(0, 60) },
        spreadMs: chance.between(0, 1_500),
      }
      Object.assign(service.faults, worse)
      return () => Object.assign(service.faults, noFaults)
    }
    case 5:
      world.database = chance.pick(["down", "mute"] as const)
      return () => {
        world.database = "up"
      }
    default:
      // Messages are a day old at once, so that trimming has something to take.
      clock.jump(25 * 3_600_000)
      return undefined
  }
}
