import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { ChannelDefinition, ChannelRef } from "./channel.ts"
import { parseUser, type RealtimeMessage, type User } from "./message.ts"

/** A claim of a lock that nobody has given up yet. */
export interface LockClaim {
  /** Which of the channel's locks. */
  lock: string
  /** Its message's position in the log, and the token of whoever holds the lock by it. */
  seq: number
  /** Whose it is: a person, in whichever of their tabs. */
  user: User
}

/** What is said when somebody wants a lock. */
export interface LockClaimed {
  /** Which one: a name of up to 200 UTF-16 units. */
  lock: string
}

/** What is said when a claim ends. */
export interface LockReleased extends LockClaimed {
  /** The `seq` of the claim. */
  claim: number
}

const maxLockLength = 200

const isLock = (value: unknown): value is LockClaimed => {
  const { lock } = (value ?? {}) as { lock?: unknown }
  return typeof lock === "string" && lock !== "" && lock.length <= maxLockLength
}
const isRelease = (value: unknown): value is LockReleased =>
  isLock(value) && Number.isSafeInteger((value as { claim?: unknown }).claim)

function schemaOf<Value>(is: (value: unknown) => value is Value, what: string): StandardSchemaV1<Value> {
  const validate = (value: unknown) => (is(value) ? { value } : { issues: [{ message: `it is no ${what}` }] })
  return { "~standard": { version: 1, vendor: "throughline", validate } }
}

/**
 * The messages that locks are made of, for a channel of their own, with presence:
 *
 * ```ts
 * export const documentLocks = defineChannel("locks:{document}", {
 *   messages: lockMessages,
 *   presence: z.object({}),
 * })
 * ```
 */
export const lockMessages: {
  readonly "lock-claimed": StandardSchemaV1<LockClaimed>
  readonly "lock-released": StandardSchemaV1<LockReleased>
} = {
  "lock-claimed": /* @__PURE__ */ schemaOf(isLock, "claim of a lock"),
  "lock-released": /* @__PURE__ */ schemaOf(isRelease, "release of a lock"),
}

/** Any definition of channels of locks: it has `messages: lockMessages`, and presence. */
// biome-ignore-start lint/suspicious/noExplicitAny: the bound that every definition satisfies; parameters are contravariant
export type LocksDefinition = ChannelDefinition<
  any,
  {
    /** What is said when somebody wants a lock. */
    readonly "lock-claimed": StandardSchemaV1<LockClaimed>
    /** What is said when a claim ends. */
    readonly "lock-released": StandardSchemaV1<LockReleased>
  },
  any,
  any,
  any
>
// biome-ignore-end lint/suspicious/noExplicitAny: as above

/** Throws a `TypeError` where the channel has no locks, since its definition lacks what they are made of. */
export function requireLocks({ name, definition }: ChannelRef): void {
  const { messages, presence } = definition
  const isLocks = Object.keys(lockMessages).every((event) => Object.hasOwn(messages, event))
  if (isLocks && presence) return
  const lacks = isLocks ? "presence" : "messages: lockMessages"
  throw new TypeError(`unable to use locks of "${name}"; its definition lacks \`${lacks}\``)
}

/**
 * The claims that are live after these messages, oldest first: the same wherever the same log is read. One of
 * a person who has a live claim of the lock already is none. The same array where nothing changes.
 */
export function foldLocks(
  claims: readonly LockClaim[],
  messages: readonly Pick<RealtimeMessage, "seq" | "event" | "payload" | "from">[],
): readonly LockClaim[] {
  let live = claims
  for (const { seq, event, payload, from } of messages) {
    if (event === "lock-claimed" && from && isLock(payload)) {
      const { lock } = payload
      if (!live.some((claim) => claim.lock === lock && claim.user.id === from.id))
        live = [...live, { lock, seq, user: from }]
    } else if (event === "lock-released" && isRelease(payload)) {
      const { lock, claim } = payload
      if (live.some((one) => one.seq === claim && one.lock === lock))
        live = live.filter((one) => one.seq !== claim)
    }
  }
  return live
}

/** The claim by which a lock is held, the oldest of those that are live; null: it is free. */
export const lockHolder = (claims: readonly LockClaim[], lock: string): LockClaim | null =>
  claims.find((claim) => claim.lock === lock) ?? null

export const toLockSnapshot = (claims: readonly LockClaim[]): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(claims))

/** Throws where the bytes are none that `toLockSnapshot` made. */
export function fromLockSnapshot(bytes: Uint8Array | null): LockClaim[] {
  if (!bytes) return []
  const values = JSON.parse(new TextDecoder().decode(bytes)) as readonly (LockClaim | null)[]
  return values.map((value) => {
    const user = parseUser(value?.user)
    if (user && isLock(value) && Number.isSafeInteger(value.seq))
      return { lock: value.lock, seq: value.seq, user }
    throw new TypeError("unable to read the locks; the channel's snapshot is another's")
  })
}
