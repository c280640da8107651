import { createRealtimeClient } from "../client/create-realtime-client.ts"
import { watchState } from "../client/watch-state.ts"
import { createSocketIoTransport } from "../providers/socketio/client.ts"
import type { ClientConfig } from "../server/types.ts"
import { waitFor } from "../testing/wait-for.ts"
import { configOf } from "./clients.ts"
import { startMetered } from "./meter.ts"
import { quantile } from "./report.ts"
import { bench, keys, toldPerSecond } from "./state-channel.ts"

const pages = 200
const slowPages = 20
const seconds = 30
/** How often a second each key changes: more often than any page is told. */
const perSecond = 20

/** A page that counts what it is told and how old that is, and says whether a key went back. */
function openPage(config: ClientConfig) {
  const client = createRealtimeClient({
    config,
    providers: { socketio: async () => createSocketIoTransport },
  })
  const newest = new Map<string, number>()
  const agesMs: number[] = []
  /** When it was told, and of how many values by then. */
  const told: { at: number; values: number }[] = []
  let wentBack: string | null = null
  const watch = watchState(
    client.channel(bench),
    keys,
    (values) => {
      const now = Date.now()
      for (const key of keys) {
        const { n, at } = values[key] ?? { n: 0, at: now }
        const known = newest.get(key) ?? 0
        if (n < known) wentBack ??= `${key} went back from ${known} to ${n}`
        if (n > known) agesMs.push(now - at)
        newest.set(key, n)
      }
      told.push({ at: now, values: agesMs.length })
    },
    { perSecond: toldPerSecond },
  )
  client.open()
  return {
    watch,
    agesMs,
    /** Updates a second, from the first time that it was told until the last. */
    rate() {
      const [first, last] = [told[0], told.at(-1)]
      return first && last ? ((last.values - first.values) * 1_000) / (last.at - first.at) : 0
    },
    wentBack: () => wentBack,
    hasAll: (n: number) => keys.every((key) => newest.get(key) === n),
    close: () => client.close(),
  }
}

interface Run {
  /** How long each value is. */
  bytes: number
  /** How many pages more read 1 kB/s. */
  slow: number
}

async function measure({ bytes, slow }: Run) {
  await using server = await startMetered("server-state.ts")
  const config = await configOf(server.url)
  const opened = Array.from({ length: pages }, () => openPage(config))
  await waitFor(() => opened.every(({ watch }) => watch.isReady))
  // In a process of their own: what they do isn't what the others' server and pages do.
  await using _slow = await startMetered("slow-pages.ts", [server.url, server.token, String(slow)])
  const before = await server.read()
  const path = `${server.url}/change?perSecond=${perSecond}&seconds=${seconds}&bytes=${bytes}`
  const done = (await (await fetch(path, { method: "POST" })).json()) as { changes: number; waited: number }
  await waitFor(() => opened.every(({ hasAll }) => hasAll(done.changes)))
  const { cpu } = await server.read()
  const firstMs = await openLater(config, done.changes)
  const [failure] = opened.flatMap(({ wentBack }) => wentBack() ?? [])
  if (failure) throw new Error(failure)
  await Promise.all(opened.map(({ close }) => close()))
  return {
    updates: Math.max(...opened.map(({ rate }) => rate())),
    ageMs: quantile(
      opened.flatMap(({ agesMs }) => agesMs),
      0.99,
    ),
    cores: (cpu - before.cpu) / 1_000_000 / seconds,
    waited: done.waited,
    firstMs,
  }
}

/** How long a page takes from opening its client until it has every value, the slowest of ten. */
async function openLater(config: ClientConfig, n: number): Promise<number> {
  let slowest = 0
  for (let page = 0; page < 10; page += 1) {
    const began = performance.now()
    const { hasAll, close } = openPage(config)
    await waitFor(() => hasAll(n))
    slowest = Math.max(slowest, performance.now() - began)
    await close()
  }
  return slowest
}

/**
 * Keyed state under a writer that is faster than every page, beside what it may be: how much a page is told
 * and how old that is, with all last values right and none that goes back, what pages that hardly read cost
 * the others, and what waits for them where values are large.
 */
export const state = {
  scenario: `${pages} pages × ${keys.length} keys of state, told ${toldPerSecond} times a second`,
  async measure() {
    const alone = await measure({ bytes: 100, slow: 0 })
    const beside = await measure({ bytes: 100, slow: slowPages })
    const large = await measure({ bytes: 4_000, slow: slowPages })
    return [
      {
        ...{ metric: "updates per second of a page", against: "what a page asks for" },
        pair: { ours: alone.updates, control: keys.length * toldPerSecond },
        target: "<= 1",
      },
      {
        ...{ metric: "p99 of a value's age, in ms", against: "400 ms", target: "<= 1" },
        pair: { ours: alone.ageMs, control: 400 },
      },
      {
        ...{ metric: "share of a core", against: "a core", target: "<= 1" },
        pair: { ours: alone.cores, control: 1 },
      },
      {
        ...{ metric: "until a page has every value, in ms", against: "200 ms", target: "<= 1" },
        pair: { ours: alone.firstMs, control: 200 },
      },
      {
        ...{ metric: "p99 of a value's age, in ms", against: `without ${slowPages} that read 1 kB/s` },
        ...{ pair: { ours: beside.ageMs, control: alone.ageMs }, target: "<= 1.1" },
      },
      {
        ...{ metric: "bytes that wait for a slow page", against: "128 KiB, values of 4 kB", target: "<= 1" },
        pair: { ours: large.waited, control: 128 * 1024 },
      },
    ]
  },
}
