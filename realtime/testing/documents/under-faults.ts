import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import * as Y from "yjs"
import { createChance } from "../chance.ts"
import { startTcpProxy, type TcpProxy } from "../tcp-proxy.ts"
import { waitFor } from "../wait-for.ts"
import { contentOf, edit, isPartOf } from "./edits.ts"
import type { Step } from "./programme.ts"
import type { Open, Rival, RivalPage } from "./rivals.ts"
import { startUpheld, type Upheld } from "./upheld.ts"

/** What was written, and what came of it. */
export interface Outcome {
  edits: number
  /** Edits of which their writer was told that the server has them. */
  told: number
  toldLost: number
  lost: number
  /** From the end of the faults until all have the same document; null: not within the limit. */
  equalMs: number | null
  /** Whether whoever opens it then has what the pages have. */
  isFreshEqual: boolean
  /** Over all wires, both ways. */
  bytes: number
  /** How often the server ended by itself. */
  crashes: number
}

interface Edit {
  /** What it put in and took away. */
  part: Y.Snapshot
  isTold: boolean
}

/** Where a person sits, whichever page they have open. */
interface Place {
  readonly owner: string | undefined
  readonly edits: Edit[]
  proxy: TcpProxy
  page: RivalPage
}

/** By when all have everything. A quarter of it is what the vendors' clients need to find a dead wire. */
const peaceMs = 120_000
/** How long everybody stays then, and how long nobody is there after that. */
const stayMs = 3_000
/** By when whoever comes then has everything. */
const freshMs = 15_000

/** Notes down one edit of this page, if it did anything. */
function write(place: Place, seed: number): void {
  const { page, edits } = place
  if (!page.canWrite) return
  const { doc } = page
  const before = Y.getState(doc.store, doc.clientID)
  doc.once("afterTransaction", ({ deleteSet }: Y.Transaction) => {
    const after = Y.getState(doc.store, doc.clientID)
    if (after === before && deleteSet.clients.size === 0) return
    const stateVector = new Map(after > before ? [[doc.clientID, after]] : [])
    edits.push({ part: Y.createSnapshot(deleteSet, stateVector), isTold: false })
  })
  doc.transact(() => edit(doc, createChance(seed)))
  tell(place)
}

/** Where the page says that all is saved, its person believes it of what they see. */
function tell({ page, edits }: Place): void {
  if (!page.isSaved) return
  const untold = edits.filter(({ isTold }) => !isTold)
  if (untold.length === 0) return
  const whole = Y.snapshot(page.doc)
  for (const made of untold) made.isTold = isPartOf(made.part, whole)
}

/** The people, each behind a wire of their own. */
async function seatPeople(open: Open, port: number, people: number, keeps: boolean) {
  const target = { host: "127.0.0.1", port }
  const gone: Promise<void>[] = []
  let bytes = 0

  async function sit(before: Pick<Place, "owner" | "edits">): Promise<Place> {
    const proxy = await startTcpProxy(target)
    const page = open(`http://127.0.0.1:${proxy.port}`, before.owner)
    const place = Object.assign(before, { proxy, page })
    page.onChange(() => place.page === page && tell(place))
    return place
  }

  const places: Place[] = []
  for (let person = 0; person < people; person += 1)
    places.push(await sit({ owner: keeps ? crypto.randomUUID() : undefined, edits: [] }))
  return {
    places,
    pages: () => places.map(({ page }) => page),
    bytes: () => places.reduce((sum, { proxy }) => sum + proxy.bytes, bytes),
    /** The browser is killed, and the person opens another. */
    async reload(place: Place): Promise<void> {
      const { page, proxy } = place
      bytes += proxy.bytes
      const cut = proxy[Symbol.asyncDispose]()
      gone.push(page.crash())
      await cut
      await sit(place)
    },
    async close(): Promise<void> {
      await Promise.all([...gone, ...places.map(({ page }) => page.close())])
      await Promise.all(places.map(({ proxy }) => proxy[Symbol.asyncDispose]()))
    },
  }
}

type People = Awaited<ReturnType<typeof seatPeople>>

/** Takes the steps, each at its time. In the end all faults are over. */
async function takeSteps(steps: readonly Step[], { places, reload }: People, server: Upheld): Promise<void> {
  const ends = new Set<() => void>()
  const starting = new Set<Promise<void>>()
  function later(ms: number, end: () => void): void {
    ends.add(end)
    setTimeout(() => ends.delete(end) && end(), ms)
  }
  const acts: Record<Step["what"], (place: Place, step: Step) => Promise<void> | void> = {
    edit: (place, { seed }) => write(place, seed),
    cut: ({ proxy }) => proxy.dropConnections(),
    "half-open": ({ proxy }) => proxy.freeze(),
    stall: ({ proxy }, { forMs }) => later(forMs, proxy.stall()),
    outage: async ({ proxy }, { forMs }) => later(forMs, await proxy.startOutage()),
    reload,
    async kill(_, { forMs }) {
      await server.kill()
      later(forMs / 2, () => void starting.add(server.startAgain()))
    },
  }
  for (const step of steps) {
    // Whoever is late doesn't catch up: what pages do by timers has its time between two edits.
    await delay(step.afterMs)
    await acts[step.what](places[step.page] as Place, step)
  }
  for (const end of ends) end()
  ends.clear()
  await Promise.all(starting)
}

/** Resolves with how long it took until all had the same; with null when they don't within the limit. */
async function untilEqual(pages: readonly RivalPage[]): Promise<number | null> {
  const began = performance.now()
  const isOne = () => {
    if (!pages.every(({ isSynced }) => isSynced)) return false
    const [first, ...others] = pages.map(({ doc }) => Y.snapshot(doc)) as [Y.Snapshot, ...Y.Snapshot[]]
    return others.every((other) => Y.equalSnapshots(first, other))
  }
  while (performance.now() - began < peaceMs) {
    if (isOne()) return performance.now() - began
    await delay(50)
  }
  return null
}

const textOf = ({ doc }: RivalPage) => JSON.stringify(contentOf(doc))

/**
 * What somebody has who comes now, as soon as that is what was shown, at the latest after a while:
 * y-websocket's server says that it is in step before it has read what it stored.
 */
async function openFresh(open: Open, url: string, shown: string) {
  const page = open(url)
  await waitFor(() => page.isSynced, "a fresh page")
  const began = performance.now()
  while (textOf(page) !== shown && performance.now() - began < freshMs) await delay(100)
  const [text, whole] = [textOf(page), Y.snapshot(page.doc)]
  await page.close()
  return { isEqual: text === shown, whole }
}

/** One programme on one of them, and what came of it. */
export async function runUnderFaults(
  rival: Rival,
  steps: readonly Step[],
  { people: count, keeps }: { people: number; keeps: boolean },
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "throughline-documents-"))
  const server = await startUpheld(rival, folder)
  const open = await rival.prepare(server.url)
  const people = await seatPeople(open, server.port, count, keeps)
  const isReady = () => people.pages().every(({ isSynced, canWrite }) => isSynced && canWrite)
  await waitFor(isReady, `pages of ${rival.name}`)

  await takeSteps(steps, people, server)
  const equalMs = await untilEqual(people.pages())
  // What is on its way arrives, and is stored.
  await delay(stayMs)
  for (const place of people.places) tell(place)
  const [first] = people.pages() as [RivalPage]
  const [shown, bytes] = [textOf(first), people.bytes()]
  await people.close()
  await delay(stayMs)
  const { isEqual, whole } = await openFresh(open, server.url, shown)
  await server.kill()
  rmSync(folder, { recursive: true, force: true })

  const edits = people.places.flatMap((place) => place.edits)
  const lost = edits.filter(({ part }) => !isPartOf(part, whole))
  return {
    edits: edits.length,
    told: edits.filter(({ isTold }) => isTold).length,
    toldLost: lost.filter(({ isTold }) => isTold).length,
    lost: lost.length,
    ...{ equalMs, isFreshEqual: isEqual, bytes, crashes: server.crashes() },
  }
}
