import { loadFailover } from "../../client/load-failover.ts"
import { createChance } from "../chance.ts"
import { installVirtualClock } from "./virtual-clock.ts"
import { createWorld, type Step } from "./world.ts"

export interface Program {
  /** Decides what no step says: delays, and which of the deliveries are lost. */
  seed: number
  steps: readonly Step[]
}

/** Promise 5: by when everybody has everything once all is well, without anything being published. */
const stalenessMs = 120_000
/**
 * By when everybody is back with the preferred provider: the pause before a return doubles up to ten minutes.
 */
const returnMs = 45 * 60_000

export interface Outcome {
  /** What was not as promised. */
  violations: string[]
  /** What was done, and what readers were told, with the time. */
  story: string[]
}

/** Runs a program, then lets there be peace. Nothing of it takes real time. */
export async function simulate({ seed, steps }: Program): Promise<Outcome> {
  // No clock is right for the reading of a file.
  await loadFailover()
  const chance = createChance(seed)
  using clock = installVirtualClock(() => chance.next())
  const world = createWorld(clock, chance)
  const { violations, story, server, pages, written } = world
  await world.begin()
  await clock.advance(1_000)
  for (const step of steps) {
    await world.take(step)
    if (violations.length > 0) return { violations, story }
  }

  world.makePeace()
  const { epoch, seq: end } = await server.peek()
  const hasAll = (seq: number) => () =>
    pages.every(({ reading: { cursor } }) => cursor.epoch === epoch && cursor.seq >= seq)
  if (!(await world.until(hasAll(end), stalenessMs))) {
    const places = pages.map(({ reading: { cursor } }) => `${cursor.epoch}:${cursor.seq}`)
    violations.push(`of ${epoch}:${end}, readers have ${places.join(", ")}`)
  }

  /** Whatever was refused somebody asks for again. */
  const isSent = () => {
    for (const { feed } of pages)
      for (const { id, state } of feed.state.pending) if (state === "refused") feed.retry(id)
    return pages.every(({ feed }) => feed.state.pending.length === 0)
  }
  if (!(await world.until(isSent, stalenessMs))) {
    const states = pages.flatMap(({ feed }) => feed.state.pending.map(({ state }) => state))
    violations.push(`messages stay behind: ${states.join(", ")}`)
  }
  // A page that has just been opened doesn't show yet what it has to send: the log is asked, not the page.
  const lost = () =>
    written.filter(({ id, isStored }) => isStored && !server.logged.some((other) => other.id === id))
  if (!(await world.until(() => lost().length === 0, stalenessMs)))
    violations.push(...lost().map(({ id }) => `${id} was written and is lost`))
  for (const [, ofPage] of Map.groupBy(written, ({ page }) => page)) {
    const places = ofPage
      .filter(({ wasRefused }) => !wasRefused)
      .map(({ id }) => server.logged.findIndex((other) => other.id === id))
      .filter((place) => place >= 0)
    if (places.some((place, index) => place < (places[index - 1] ?? 0)))
      violations.push(`a page's messages are in the log in another order: ${places}`)
  }
  const [preferred] = world.listed
  const isHome = () =>
    pages.every(
      ({ client: { connection } }) =>
        connection.status.state === "connected" && connection.provider === preferred?.provider,
    )
  if (!(await world.until(isHome, returnMs))) {
    const used = pages.map(
      ({ client: { connection } }) => `${connection.provider} ${connection.status.state}`,
    )
    violations.push(`not all are back with ${preferred?.provider}: ${used.join(", ")}`)
  }
  const present = [...new Set(pages.map(({ user }) => user.id))].sort().join()
  const isSeen = () =>
    pages.every(({ presence }) => presence.snapshot?.members?.map(({ user }) => user.id).join() === present)
  if (!(await world.until(isSeen, stalenessMs))) {
    const seen = pages.map(({ presence }) => presence.snapshot?.members?.map(({ user }) => user.id).join("+"))
    violations.push(`${present} are there; seen are ${seen.join(" | ")}`)
  }
  // What was written until the end, and what would come twice.
  const { seq: last } = await server.peek()
  if (!(await world.until(hasAll(last), stalenessMs))) violations.push(`not all have the last one, ${last}`)
  await clock.advance(stalenessMs)
  for (const page of pages) page.end("closed")
  await clock.advance(0)
  return { violations, story }
}
