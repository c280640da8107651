/** So many in so many seconds. */
interface Rate {
  points: number
  seconds: number
}

/**
 * How much is fine: a burst of talk is, a flood isn't. Who goes over waits for the rest of the seconds. A person's budget counts them
 * wherever they are. Since a name costs nothing, there is one for all the people of an address besides; an office, a school or a mobile
 * carrier may be behind one, so it is that of many.
 */
export const budgets = {
  "publishes of a person": { points: 100, seconds: 10 },
  "publishes from an address": { points: 3_000, seconds: 10 },
  "publishes in a room": { points: 1_000, seconds: 10 },
  "signals of a person": { points: 100, seconds: 10 },
  "signals from an address": { points: 10_000, seconds: 10 },
  "signals in a room": { points: 2_000, seconds: 10 },
  // Whatever only asks, and tickets and tokens. After a restart each page asks for each of its rooms.
  "reads of a person": { points: 600, seconds: 10 },
  "reads from an address": { points: 60_000, seconds: 10 },
  // As one types, with a pause here and there.
  "searches of a person": { points: 60, seconds: 10 },
  "searches from an address": { points: 1_000, seconds: 10 },
  // Four requests each: announced, its preview and itself sent, looked at.
  "uploads of a person": { points: 400, seconds: 10 * 60 },
  "uploads from an address": { points: 10_000, seconds: 10 * 60 },
  "kilobytes of a person": { points: 1024 * 1024, seconds: 24 * 60 * 60 },
  "kilobytes from an address": { points: 50 * 1024 * 1024, seconds: 24 * 60 * 60 },
  // All that an address may hold come back within moments of a restart, by WebSocket or at the second try.
  "connections from an address": { points: 10_000, seconds: 60 },
  // Before its signature is known: a service sends from few addresses, in batches, and again what was refused.
  "webhooks from an address": { points: 6_000, seconds: 10 },
  "guests from an address": { points: 600, seconds: 10 * 60 },
  "guests of a day from an address": { points: 5_000, seconds: 24 * 60 * 60 },
  "invitations tried from an address": { points: 1_200, seconds: 10 * 60 },
  // What stays.
  "rooms of a person": { points: 20, seconds: 60 * 60 },
  "rooms from an address": { points: 300, seconds: 60 * 60 },
  // Names and ends. Apart from the rooms that one makes, or whoever has made many could end none of them.
  "room changes of a person": { points: 100, seconds: 60 * 60 },
  "room changes from an address": { points: 1_000, seconds: 60 * 60 },
  // Each makes all of a person's pages connect anew.
  "names of a person": { points: 20, seconds: 60 * 60 },
  "names from an address": { points: 1_000, seconds: 60 * 60 },
  "joins of a person": { points: 100, seconds: 60 * 60 },
  "joins from an address": { points: 3_000, seconds: 60 * 60 },
  "invitations of a person": { points: 60, seconds: 60 * 60 },
  "invitations from an address": { points: 1_000, seconds: 60 * 60 },
  "laboratories of a person": { points: 60, seconds: 60 * 60 },
  "laboratories from an address": { points: 1_000, seconds: 60 * 60 },
  // Each is a request to the provider.
  "revocations of a person": { points: 100, seconds: 10 * 60 },
  "revocations from an address": { points: 1_000, seconds: 10 * 60 },
} as const satisfies Record<string, Rate>

export type Budget = keyof typeof budgets

/** What a person has a budget of, and so has their address. */
export type Personal = { [B in Budget]: B extends `${infer What} of a person` ? What : never }[Budget]

export type Budgets = Readonly<Partial<Record<Budget, Rate>>>

/** What one request may take at once, by the first word: a smaller budget would refuse it for ever. */
const atOnce: Record<string, number> = { publishes: 100, kilobytes: 26 * 1024 }
const maxPoints = 2 ** 31 - 1
/** Timers go no further than 24 days. */
const maxSeconds = 7 * 24 * 60 * 60

/** A budget of one's own, as `LIMITS` has it: `publishes-of-a-person=200/10`. Null for what isn't one. */
export function parseBudget(text: string): [Budget, Rate] | null {
  const [, written = "", ...numbers] = /^([a-z-]+)=(\d+)\/(\d+)$/.exec(text) ?? []
  const budget = written.replaceAll("-", " ") as Budget
  const [points = 0, seconds = 0] = numbers.map(Number)
  const least = atOnce[written.split("-", 1)[0] ?? ""] ?? 1
  const isWithin = points >= least && points <= maxPoints && seconds >= 1 && seconds <= maxSeconds
  return Object.hasOwn(budgets, budget) && isWithin ? [budget, { points, seconds }] : null
}
