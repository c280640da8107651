import { readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { join } from "node:path"
import type { Controls, Traffic, View } from "./view.ts"

/** The page at `/__emulator/` and the events that feed it. It costs next to nothing while nobody looks. */
export interface Inspector {
  /** False for a request that isn't the page's. */
  answer(request: IncomingMessage, response: ServerResponse): boolean
  /** Keeps what has just passed, and is so big until it is read. `read` is called only if somebody looks. */
  passed(size: number, read: () => Omit<Traffic, "at" | "text"> & { text: string }): void
  close(): void
}

export interface InspectorOptions {
  controls: Controls
  view(): View
}

/** What a page that is opened later still sees, and what it is shown at once at most. */
const KEPT = 200
/** Bytes of what passed, which it holds on to until somebody looks. */
const KEPT_SIZE = 4 * 1024 * 1024
const TICK_MS = 100
const LONGEST_TEXT = 2_000
/** The tables stay readable; the numbers above them tell all. */
const LONGEST_LIST = 100

interface Watcher {
  response: ServerResponse
  /** Of the last traffic that it has been told. */
  position: number
  state: string
}

export function createInspector({ controls, view }: InspectorOptions): Inspector {
  const watchers = new Set<Watcher>()
  let kept: { position: number; at: number; size: number; read: () => Omit<Traffic, "at"> }[] = []
  let keptSize = 0
  let position = 0
  let timer: NodeJS.Timeout | undefined

  function watch(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" })
    response.write(eventOf("controls", controls))
    const watcher = { response, position: 0, state: "" }
    watchers.add(watcher)
    response.on("close", () => {
      watchers.delete(watcher)
      if (watchers.size > 0) return
      clearInterval(timer)
      timer = undefined
    })
    tell([watcher])
    timer ??= setInterval(() => tell(watchers), TICK_MS)
    timer.unref()
  }

  function tell(some: Iterable<Watcher>): void {
    const state = JSON.stringify(shortened(view()))
    for (const watcher of some) {
      // Who can't keep up is told less.
      if (watcher.response.writableNeedDrain) continue
      if (watcher.state !== state) watcher.response.write(`event: state\ndata: ${state}\n\n`)
      watcher.state = state
      const fresh = kept.filter((entry) => entry.position > watcher.position)
      if (fresh.length === 0) continue
      const skipped = position - watcher.position - fresh.length
      watcher.position = position
      watcher.response.write(eventOf("traffic", { skipped, entries: fresh.map(readOut) }))
    }
  }

  return {
    answer(request, response) {
      if (request.method !== "GET") return false
      switch (request.url?.split("?")[0]) {
        case "/__emulator":
          response.writeHead(302, { location: "/__emulator/" }).end()
          return true
        case "/__emulator/":
          response.writeHead(200, pageHeaders).end(readFileSync(join(import.meta.dirname, "index.html")))
          return true
        case "/__emulator/events":
          watch(response)
          return true
        default:
          return false
      }
    },
    passed(size, read) {
      position += 1
      kept.push({ position, at: Date.now(), size, read })
      keptSize += size
      // Seldom, so that a busy service doesn't move the list at every frame.
      if (kept.length >= 2 * KEPT || keptSize > KEPT_SIZE) {
        kept = keptSize > KEPT_SIZE ? lastWithin(kept, KEPT_SIZE / 2) : kept.slice(-KEPT)
        keptSize = kept.reduce((sum, entry) => sum + entry.size, 0)
      }
    },
    close() {
      clearInterval(timer)
      for (const { response } of watchers) response.end()
    },
  }
}

function lastWithin<Entry extends { size: number }>(entries: Entry[], size: number): Entry[] {
  let left = size
  const first = entries.findLastIndex((entry) => {
    left -= entry.size
    return left < 0
  })
  return entries.slice(first + 1)
}

/** Nothing from elsewhere, and nobody else's frame around it. */
const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'",
}

function readOut({ at, read }: { at: number; read: () => Omit<Traffic, "at"> }): Traffic {
  const traffic = readable(read)
  const { text } = traffic
  return { at, ...traffic, text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text }
}

function shortened(view: View) {
  const apps = view.apps.map(({ connections, channels, ...app }) => ({
    ...app,
    connectionCount: connections.length,
    channelCount: channels.length,
    connections: connections.slice(0, LONGEST_LIST).map((connection) => ({
      ...connection,
      channels: connection.channels.slice(0, LONGEST_LIST),
    })),
    channels: channels.slice(0, LONGEST_LIST).map((channel) => ({
      ...channel,
      memberCount: channel.members.length,
      members: channel.members.slice(0, LONGEST_LIST),
    })),
  }))
  return { ...view, apps }
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Strangers' frames, some nested too deeply to be written: the page goes on without them. */
function readable(read: () => Omit<Traffic, "at">): Omit<Traffic, "at"> {
  try {
    return read()
  } catch {
    return { from: "client", name: "unreadable", text: "" }
  }
}
