import * as Y from "yjs"
import { loadFailover } from "../../client/load-failover.ts"
import { checkUpdate } from "../../yjs/check-update.ts"
import { createChance } from "../chance.ts"
import { installVirtualClock } from "../simulation/virtual-clock.ts"
import { contentOf, edit, isPartOf } from "./edits.ts"
import { befall, createDocumentWorld, type DocumentPage } from "./world.ts"

export interface DocumentProgram {
  /** Decides everything. */
  seed: number
  /** On how many pages people write. */
  clients: number
  /** How many edits each of them makes. */
  edits: number
}

export interface DocumentOutcome {
  /** What was not as promised. */
  violations: string[]
  /** How many messages the log got, and where it begins in the end. */
  seq: number
  first: number
}

/** By when everybody has everything once all is well. */
const peaceMs = 300_000

/**
 * People write to one document while everything goes wrong; then there is peace. Nothing of it takes real
 * time.
 */
export async function simulateDocument({ seed, clients, edits }: DocumentProgram): Promise<DocumentOutcome> {
  // No clock is right for the reading of files.
  await loadFailover()
  checkUpdate(Y.encodeStateAsUpdate(new Y.Doc()))
  const chance = createChance(seed)
  using clock = installVirtualClock(() => chance.next())
  const world = createDocumentWorld(chance, seed % 2 === 0)
  const { pages } = world
  const violations: string[] = []
  const acknowledged: Y.Snapshot[] = []
  const ends: { at: number; end: () => void }[] = []

  function remember(page: DocumentPage): void {
    const snapshot = page.acknowledged()
    if (snapshot) acknowledged.push(snapshot)
  }

  async function reload(page: DocumentPage): Promise<void> {
    remember(page)
    pages.splice(pages.indexOf(page), 1)
    if (chance.happens(0.5)) {
      // Whoever closes a page has what they wrote kept.
      acknowledged.push(Y.snapshot(page.document.doc))
      void page.end("closed")
      await clock.advance(6_000)
    } else void page.end("crashed")
    world.open(page.person)
  }

  // One of them has two pages, which share what the browser keeps.
  for (let page = 0; page < clients; page += 1) world.open(page % (clients - 1))
  await clock.advance(1_000)
  for (let left = clients * edits; left > 0; left -= 1) {
    const page = chance.pick(pages)
    if (page.document.canWrite) edit(page.document.doc, chance)
    if (chance.happens(0.01)) {
      const end = befall(world, chance, clock)
      if (end) ends.push({ at: clock.now + chance.between(100, 60_000), end })
    }
    if (chance.happens(0.004)) await reload(chance.pick(pages))
    if (chance.happens(0.004)) void world.compact()
    if (chance.happens(0.004)) void world.trim()
    await clock.advance(chance.happens(0.1) ? chance.between(0, 5_000) : chance.between(0, 80))
    for (const fault of ends.splice(0)) {
      if (fault.at <= clock.now) fault.end()
      else ends.push(fault)
    }
  }
  for (const { end } of ends) end()

  world.open(clients)
  const limit = clock.now + peaceMs
  const first = () => contentText(pages[0])
  const isOne = () =>
    pages.every(({ document }) => document.status.state === "synced") &&
    pages.every((page) => contentText(page) === first())
  while (!isOne() && clock.now < limit) await clock.advance(1_000)

  for (const page of pages) {
    remember(page)
    if (page.document.status.state !== "synced")
      violations.push(`person ${page.person} is ${JSON.stringify(page.document.status)}`)
    if (contentText(page) !== first()) violations.push(`person ${page.person} has another document`)
    if (!Y.equalSnapshots(Y.snapshot(page.document.doc), Y.snapshot((pages[0] as DocumentPage).document.doc)))
      violations.push(`person ${page.person} has another state vector or set of deletions`)
    const whole = Y.snapshot(page.document.doc)
    for (const part of acknowledged)
      if (!isPartOf(part, whole)) violations.push(`person ${page.person} lacks what was acknowledged`)
  }
  violations.push(...world.failures)
  const head = await world.head()
  for (const page of pages) void page.end("closed")
  await clock.advance(10_000)
  return { violations, seq: head.seq, first: head.first }
}

const contentText = (page: DocumentPage | undefined) => page && JSON.stringify(contentOf(page.document.doc))
