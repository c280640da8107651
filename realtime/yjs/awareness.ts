import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness"
import type { Doc } from "yjs"
import type { ChannelDefinition } from "../channel.ts"
import type { Channel } from "../client/types.ts"
import { isRealtimeError } from "../errors.ts"
import type { Signal, User } from "../message.ts"
import type { YjsAwareness, YjsAwarenessSchema } from "./schema.ts"

/** Any definition of channels that carry awareness: its signals have `awareness: yjsAwareness()`. */
// biome-ignore-start lint/suspicious/noExplicitAny: the bound that every definition satisfies; parameters are contravariant
export type AwarenessDefinition = ChannelDefinition<
  any,
  any,
  {
    /** What each page tells of itself. */
    awareness: YjsAwarenessSchema
  },
  any,
  any
>
// biome-ignore-end lint/suspicious/noExplicitAny: as above

/** How awareness is shared. */
export interface AwarenessOptions {
  /**
   * In [0, 1): by how much of 300 ms a page waits before it answers whoever has come. Default
   * `Math.random`.
   */
  random?: (() => number) | undefined
}

/** Browser: who else is at a document, and where. */
export interface SharedAwareness {
  /** As editors' bindings expect it. Its states are by `clientID`: two pages of a person are two of them. */
  readonly awareness: Awareness
  /** Says that this page has left, and ends it. Idempotent. */
  close(): void
}

/** Whoever has just come is answered by all who are there: not in the same moment. */
const answerMs = 300
/** A page that has come and hears of nobody asks once more, and then no more. */
const askAgainMs = 2_000

/**
 * Browser: shares carets and selections over the channel's signals. A page tells its own state when it has
 * changed, as often as the provider takes it, the last one always; it tells it again to whoever comes, and
 * says nothing besides: there is no renewal every few seconds, and no state times out. A state goes when its
 * page leaves, and with the last page of its person by the channel's presence, where they were present:
 * enter it, with what everybody is to know of people (a name, a colour).
 *
 * ```ts
 * const documents = defineChannel("document:{document}", {
 *   messages: { update: yjsUpdate() },
 *   signals: { awareness: yjsAwareness() },
 *   latest: ["awareness"],
 * })
 * const channel = client.channel(documents({ document: "7" }))
 * const { awareness } = shareAwareness(channel, openDocument(channel).doc)
 * awareness.setLocalStateField("user", { name: "Aki", color: "#a0f" })
 * ```
 *
 * When `document.doc` is another one, close it and share that one's. A page does this once for a channel, and
 * hands it to all that show carets: nobody hears their own page's signals, so two of one page would not see
 * each other.
 */
export function shareAwareness<D extends AwarenessDefinition>(
  given: Channel<D>,
  doc: Doc,
  { random = Math.random }: AwarenessOptions = {},
): SharedAwareness {
  const channel = given as unknown as Channel<AwarenessDefinition>
  const awareness = new Awareness(doc)
  // It renews the own state every 15 s and takes away others' after 30 s: who is there is presence's to say.
  clearInterval(awareness._checkInterval)
  const owners = createOwners(awareness)
  /** Nobody has answered yet. */
  let isAsking = false
  /** The page was left: what it says then would show it again. */
  let isLeft = false
  let told = ""
  let isClosed = false
  let asking: ReturnType<typeof setTimeout> | undefined
  let answering: ReturnType<typeof setTimeout> | undefined

  function own(asks = false): YjsAwareness {
    const clock = awareness.meta.get(awareness.clientID)?.clock ?? 0
    const state = awareness.getLocalState() as YjsAwareness["state"]
    return { client: awareness.clientID, clock, state, ...(asks && { asks }) }
  }

  /** An answer asks for none: two who come at once would answer each other for ever. */
  function tell(asks = isAsking): void {
    if (isLeft) return
    const payload = own(asks)
    told = JSON.stringify(payload.state)
    channel.signal("awareness", payload).catch((error: unknown) => {
      // A newer one takes its place, or the page says it when it is attached again.
      const passes =
        isRealtimeError(error) && (error.code === "rate-limited" || error.code === "not-connected")
      // Whoever has closed it may be out of the channel by now: with its person's last page it goes anyway.
      if (!passes && !isClosed) channel.report(error, { stage: "tell the awareness" })
    })
  }

  /**
   * Says where the page is, and has the others say it: by each signal until one is heard, for one may be
   * lost.
   */
  function arrive(): void {
    isAsking = true
    tell()
    clearTimeout(asking)
    asking = setTimeout(() => {
      if (isAsking) tell()
      isAsking = false
    }, askAgainMs)
  }

  function answer(): void {
    answering ??= setTimeout(() => {
      answering = undefined
      tell(false)
    }, random() * answerMs)
  }

  const onUpdate = (_: unknown, origin: unknown) => {
    if (origin !== "local" || channel.status.state !== "attached") return
    if (JSON.stringify(awareness.getLocalState()) !== told) tell()
  }
  awareness.on("update", onUpdate)

  const stopSignals = channel.onSignal(
    "awareness",
    ({ from, payload }: Signal<"awareness", YjsAwareness>) => {
      if (!payload.asks) isAsking = false
      owners.take(from, payload)
      if (payload.asks) answer()
    },
  )
  let wasAttached = false
  function onStatus(): void {
    const isAttached = channel.status.state === "attached"
    if (isAttached && !wasAttached) arrive()
    wasAttached = isAttached
  }
  const stopStatus = channel.onStatus(onStatus)
  const stopPresence = channel.presence.subscribe(() =>
    owners.review(channel.presence.snapshot?.members ?? null),
  )
  const stopLeaving = onPageEnd(
    () => {
      const { client, clock } = own()
      isLeft = true
      if (wasAttached)
        channel.signal("awareness", { client, clock, state: null }).catch(() => {
          // At most once: with its person's last page it goes anyway.
        })
    },
    () => {
      isLeft = false
      told = ""
      awareness.setLocalState(awareness.getLocalState())
    },
  )
  onStatus()

  function close(): void {
    if (isClosed) return
    isClosed = true
    clearTimeout(asking)
    clearTimeout(answering)
    awareness.off("update", onUpdate)
    awareness.setLocalState(null)
    if (wasAttached && told !== "null") tell()
    for (const stop of [stopSignals, stopStatus, stopPresence, stopLeaving]) stop()
    awareness.destroy()
  }
  // With its document it ends by itself.
  doc.on("destroy", close)
  return { awareness, close }
}

/** The page is left, and where the browser has kept it as it was, shown again. */
function onPageEnd(onHide: () => void, onShow: () => void): () => void {
  if (typeof document === "undefined") return () => {}
  const onPageShow = ({ persisted }: PageTransitionEvent) => persisted && onShow()
  window.addEventListener("pagehide", onHide)
  window.addEventListener("pageshow", onPageShow)
  return () => {
    window.removeEventListener("pagehide", onHide)
    window.removeEventListener("pageshow", onPageShow)
  }
}

/** Whose each state is: nobody changes another's, and who has gone takes theirs along. */
function createOwners(awareness: Awareness) {
  const owners = new Map<number, string>()
  const seen = new Set<string>()
  return {
    take({ id }: User, { client, clock, state }: YjsAwareness): void {
      if (client === awareness.clientID || (owners.get(client) ?? id) !== id) return
      if (state) owners.set(client, id)
      const states = new Map(state ? [[client, state]] : [])
      const meta = new Map([[client, { clock, lastUpdated: 0 }]])
      const update = encodeAwarenessUpdate({ states, meta } as unknown as Awareness, [client])
      applyAwarenessUpdate(awareness, update, "signal")
      if (!awareness.states.has(client)) owners.delete(client)
    },
    review(members: readonly { user: User }[] | null): void {
      if (!members) return
      const present = new Set(members.map(({ user }) => user.id))
      const gone = [...owners].filter(([, id]) => seen.has(id) && !present.has(id)).map(([client]) => client)
      removeAwarenessStates(awareness, gone, "presence")
      for (const client of gone) {
        owners.delete(client)
        // Were they to come back with the same document, they begin again.
        awareness.meta.delete(client)
      }
      seen.clear()
      for (const id of present) seen.add(id)
    },
  }
}
