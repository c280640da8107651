import { createClient } from "../client/create-client.ts"
import { type FollowedLocks, followLocks } from "../client/follow-locks.ts"
import { startAblyBackend } from "./ably-backend.ts"
import { createChance } from "./chance.ts"
import { startMemoryBackend } from "./memory-backend.ts"
import { startPusherBackend } from "./pusher-backend.ts"
import { startSocketIoBackend } from "./socketio-backend.ts"
import { type ContractBackend, contractChannels, createContractHttp } from "./transport-contract/backend.ts"
import { freshName } from "./transport-contract/check.ts"
import { waitFor } from "./wait-for.ts"

export interface LockRaces {
  /** A running provider. */
  start(): Promise<ContractBackend>
  /** How often everybody wants the same lock at once. */
  races: number
  /** How many of them at a time. */
  atOnce?: number
  /** As of `createChance`. */
  seed?: number
}

/** Each provider, on its real gateway or its emulator. */
export const lockRaceBackends: [string, LockRaces["start"]][] = [
  ["memory", () => startMemoryBackend()],
  ["socketio", startSocketIoBackend],
  ["pusher", () => startPusherBackend()],
  ["ably", startAblyBackend],
]

/** So long nobody counts as gone: that has tests of its own. */
const longMs = 3_600_000
const people = ["alice", "bob", "carol", "dave"].map((id) => ({ id }))

/**
 * Everybody claims the same locks in an order of their own, works through those that they get, and gives
 * each up; now and then all connections are cut meanwhile. Resolves with what was seen that may not be: two
 * who have the same lock, or a page that names other winners, or in another order, than the log has.
 */
export async function raceForLocks({ start, races, atOnce = 50, seed = 7 }: LockRaces): Promise<string[]> {
  await using backend = await start()
  await using stack = new AsyncDisposableStack()
  const chance = createChance(seed)
  const ref = contractChannels.locks({ locks: freshName("races") })
  const violations: string[] = []
  /** Who believes to hold a lock. */
  const holding = new Map<string, string>()

  const pages = people.map((user) => {
    const client = createClient({
      transport: () => backend.createTransport(user),
      http: createContractHttp(backend.realtime, user),
      presenceGraceMs: longMs,
      onError: () => {},
    })
    stack.defer(() => client.close())
    const channel = client.channel(ref)
    channel.presence.enter({ mood: "racing" })
    /** By lock, the tokens of those whom this page has seen hold it. */
    const seen = new Map<string, number[]>()
    const locks = followLocks(channel, {
      ...{ user, graceMs: longMs },
      onChange() {
        for (const lock of new Set(locks.claims.map((claim) => claim.lock))) {
          const holder = locks.holder(lock)?.seq ?? 0
          const before = seen.get(lock) ?? []
          if (before.at(-1) !== holder) seen.set(lock, [...before, holder])
        }
      },
    })
    client.open()
    return { user, channel, locks, seen }
  })
  await waitFor(() => pages.every(({ channel }) => channel.status.state === "attached"))

  /** By lock, the tokens by which it was held, in the order in which it was had. */
  const had = new Map<string, number[]>()

  async function race(lock: string, user: { id: string }, locks: FollowedLocks): Promise<void> {
    const token = await locks.claim(lock)
    had.set(lock, [...(had.get(lock) ?? []), token])
    const other = holding.get(lock)
    if (other) violations.push(`${user.id} got "${lock}" while ${other} had it`)
    holding.set(lock, user.id)
    await backend.realtime.locks.guard(ref, lock, { token, user })
    holding.delete(lock)
    await locks.release(lock)
  }

  for (let done = 0; done < races; done += atOnce) {
    const names = Array.from({ length: Math.min(atOnce, races - done) }, (_, n) => `lock ${done + n}`)
    const everybody = pages.flatMap(({ user, locks }) =>
      names
        .map((lock) => ({ lock, at: chance.next() }))
        .toSorted((one, other) => one.at - other.at)
        .map(({ lock }) => race(lock, user, locks)),
    )
    if (chance.happens(0.1)) await backend.dropConnections()
    await Promise.all(everybody)
    for (const lock of names) {
      const tokens = had.get(lock) ?? []
      const isInTurn =
        tokens.length === pages.length && tokens.every((token, n) => token > (tokens[n - 1] ?? 0))
      if (!isInTurn) violations.push(`"${lock}" was held by ${tokens.join(", ")}`)
      for (const { user, seen } of pages) {
        // A page may have heard of several at once, and of the last alone.
        const found = seen.get(lock) ?? []
        const places = found.map((token) => tokens.indexOf(token))
        const isSame = places.every((place, n) => place > (places[n - 1] ?? -1))
        if (!isSame)
          violations.push(`${user.id} saw "${lock}" held by ${found.join(", ")}, not ${tokens.join(", ")}`)
      }
    }
    await waitFor(() => pages.every(({ locks }) => locks.claims.length === 0), "everybody's locks to be free")
  }
  return violations
}
