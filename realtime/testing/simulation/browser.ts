import type { OutboxPlace } from "../../client/create-client.ts"
import type { OutboxNote } from "../../client/outbox-bus.ts"
import { createMemoryStore, type OutboxStore } from "../../client/outbox-store.ts"
import type { Chance } from "../chance.ts"
import type { Link } from "./link.ts"

/** One person's browser: what is kept outlives the tabs, which talk to each other and take turns. */
export interface Browser {
  /** Where one tab's outbox stands; `onStored` learns what would survive the tab from now on. */
  place(link: Link, onStored: (id: string) => void): OutboxPlace
  /** The tab of this link is gone, and with it what it held. */
  release(link: Link): void
}

interface Turn {
  link: Link
  run(): void
}

/** As the tabs' lock does. */
const patienceMs = 10_000
const never = new Promise<never>(() => {})

/**
 * How long each takes of what a browser does in order: none is done before the one that was begun before it.
 */
function createPace(chance: Chance, longestMs: number): () => number {
  let busyUntil = 0
  return () => {
    busyUntil = Math.max(busyUntil, performance.now() + chance.between(1, longestMs))
    return busyUntil - performance.now()
  }
}

export function createBrowser(chance: Chance): Browser {
  const kept = createMemoryStore()
  const listeners = new Map<Link, (note: OutboxNote) => void>()
  /** Who has the turn stands first. */
  const turns = new Map<string, Turn[]>()

  function end(name: string, turn: Turn): void {
    const waiting = turns.get(name) ?? []
    const place = waiting.indexOf(turn)
    if (place < 0) return
    waiting.splice(place, 1)
    if (place === 0) waiting[0]?.run()
  }

  /** A disk takes its time, and a tab that is gone hears nothing of it. */
  function slow(link: Link, store: OutboxStore, onStored: (id: string) => void): OutboxStore {
    const pace = createPace(chance, 20)
    async function work<T>(task: () => Promise<T>): Promise<T> {
      await new Promise<void>((resolve) => setTimeout(resolve, pace()))
      if (link.isDead) return never
      return task()
    }
    return {
      load: () => work(store.load),
      add: (message) =>
        work(async () => {
          const position = await store.add(message)
          onStored(message.id)
          return position
        }),
      refuse: (id, refusal) => work(() => store.refuse(id, refusal)),
      remove: (id) => work(() => store.remove(id)),
      close() {},
    }
  }

  /** What one tab says reaches the others in its order. */
  function busOf(link: Link): OutboxPlace["bus"] {
    const pace = createPace(chance, 10)
    return {
      post(note) {
        if (link.isDead) return
        for (const [other, hear] of listeners)
          if (other !== link) setTimeout(() => other.isDead || hear(structuredClone(note)), pace())
      },
      listen: (hear) => void listeners.set(link, hear),
      close: () => void listeners.delete(link),
    }
  }

  return {
    place: (link, onStored) => ({
      store: slow(link, kept, onStored),
      bus: busOf(link),
      exclusively: (name, task) =>
        new Promise((resolve, reject) => {
          let isRun = false
          const turn: Turn = {
            link,
            run() {
              if (isRun) return
              isRun = true
              task()
                .then(resolve, reject)
                .finally(() => end(name, turn))
            },
          }
          const waiting = turns.get(name) ?? []
          turns.set(name, waiting)
          waiting.push(turn)
          if (waiting.length === 1) turn.run()
          else setTimeout(() => link.isDead || turn.run(), patienceMs)
        }),
    }),
    release(link) {
      listeners.delete(link)
      for (const [name, waiting] of turns)
        for (const turn of waiting.filter((held) => held.link === link)) end(name, turn)
    },
  }
}
