import { randomBetween } from "../back-off.ts"
import type { OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import type { JsonValue } from "../json.ts"
import { createListeners } from "../listeners.ts"
import type { PresenceSnapshot } from "../message.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../transport.ts"

/** A provider that the server publishes to, and how to reach it. */
export interface Candidate {
  provider: string
  /** Equal for equal configurations: a page that follows a changed list keeps the connection that it has. */
  key: string
  /** Makes its transport; inert until `connect`. */
  create(): RealtimeTransport
}

export interface FailoverOptions {
  /** In order of preference, at least one. */
  candidates: readonly Candidate[]
  /**
   * How long the provider in use may be without a connection before the next one is tried beside it, and how long that may take
   * until it carries everything; more in each round in which none did. Default 10 s.
   */
  patienceMs?: number
  /** How long after a move the preferred one is tried again; longer after each attempt in vain. Default 60 s. */
  returnMs?: number
  onError?: OnError
}

export interface FailoverTransport extends RealtimeTransport {
  /** Follows a changed list: what is in use stays until a better one carries everything. Connects nothing before `connect`. */
  setCandidates(candidates: readonly Candidate[]): void
}

/** A channel as the client wants it, on whichever provider. */
interface Wish {
  observer: ChannelObserver
  watchesPresence: boolean
  data: JsonValue | undefined
}

/** One provider's transport, and what it has done of the wishes. */
interface Leg {
  candidate: Candidate
  transport: RealtimeTransport
  joined: Map<string, Joined>
  /** The server doesn't know the provider any more: no refusal of anybody, but the end of this leg. */
  withdrawn?: RealtimeError
}

interface Joined {
  subscription: TransportSubscription
  isAttached: boolean
  denied?: RealtimeError
  presence?: PresenceSnapshot
}

const maxReturnMs = 10 * 60_000
/** How many times its first patience the next one is given in the end. */
const maxPatience = 8

/**
 * One transport over several providers. The first is used; when it fails, or stays without a connection, the next is
 * opened beside it, and takes over once it carries every channel: make before break. Whatever either delivers is passed
 * on, since the client above takes each message once and in order; signals and presence come from the one in use.
 *
 *     active ──(no connection for patienceMs, or failed)──▶ active + rising ──(rising carries all)──▶ rising is active
 *     active, not the preferred ──(returnMs, with jitter)──▶ active + rising ──▶ …
 */
export function createFailoverTransport(options: FailoverOptions): FailoverTransport {
  const { patienceMs = 10_000, returnMs = 60_000 } = options
  const onError = createReporter(options.onError)
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  const wishes = new Map<string, Wish>()
  /** Those that said that they won't try again; the others are asked in turn. */
  const refused = new Set<string>()
  let candidates = options.candidates
  let rising: Leg | null = null
  let status: TransportStatus = { state: "connecting" }
  let isStarted = false
  let patience: ReturnType<typeof setTimeout> | undefined
  let risingPatience: ReturnType<typeof setTimeout> | undefined
  let returning: ReturnType<typeof setTimeout> | undefined
  let returnPause = returnMs
  /** Attempts in vain since one worked. */
  let vain = 0

  const [first] = candidates
  if (!first) throw new TypeError("unable to create a transport; there is no provider")
  let active: Leg = open(first)
  let toldProvider = first.provider

  const legs = () => (rising ? [active, rising] : [active])
  /** Its place in the list; -1 when it isn't listed any more. */
  const rankOf = (leg: Leg) => candidates.findIndex(({ key }) => key === leg.candidate.key)
  const statusOf = ({ withdrawn, transport }: Leg): TransportStatus =>
    withdrawn ? { state: "failed", error: withdrawn } : transport.status
  const isConnected = (leg: Leg) => statusOf(leg).state === "connected"
  const isOffline = () => typeof navigator !== "undefined" && navigator.onLine === false

  function open(candidate: Candidate): Leg {
    const leg: Leg = { candidate, transport: candidate.create(), joined: new Map() }
    leg.transport.onStatus(() => follow(leg))
    for (const [channel, wish] of wishes) join(leg, channel, wish)
    return leg
  }

  function close(leg: Leg | null): void {
    void leg?.transport.close()
  }

  function join(leg: Leg, channel: string, wish: Wish): void {
    const { observer } = wish
    const joined = { isAttached: false } as Joined
    leg.joined.set(channel, joined)
    const isWanted = () => leg.joined.get(channel) === joined && (leg === active || leg === rising)
    joined.subscription = leg.transport.subscribe(channel, {
      cursor: () => observer.cursor(),
      onAttached(page) {
        if (!isWanted()) return
        joined.isAttached = true
        if (leg === active) observer.onAttached(page)
        else promoteIfReady()
      },
      onDetached() {
        if (!isWanted()) return
        joined.isAttached = false
        if (leg === active) observer.onDetached()
      },
      onDenied(error) {
        if (!isWanted()) return
        if (error.code === "unsupported") {
          leg.withdrawn = error
          if (joined.isAttached && leg === active) observer.onDetached()
          follow(leg)
          return
        }
        joined.denied = error
        if (leg === active) observer.onDenied(error)
        else promoteIfReady()
      },
      onMessages: (messages) => isWanted() && observer.onMessages(messages),
      onSignal: (signal) => isWanted() && leg === active && observer.onSignal(signal),
      onPresence(snapshot) {
        if (!isWanted()) return
        joined.presence = snapshot
        if (leg === active) observer.onPresence(snapshot)
      },
    })
    if (wish.watchesPresence) joined.subscription.watchPresence()
    // Refusals reach whoever entered while the provider was in use; this one entered for them. Who isn't let in among the people
    // may be in the channel all the same.
    if (wish.data !== undefined)
      joined.subscription.enterPresence(wish.data).catch((error) => onError(error, { stage: "presence" }))
  }

  /** A move from one connection to another is news as well. */
  function setStatus(next: TransportStatus): void {
    const { provider } = active.candidate
    const isOld = next.state === status.state && next.error === status.error && provider === toldProvider
    if (status.state === "closed" || isOld) return
    toldProvider = provider
    // Another object, for whoever compares: React does.
    status = { ...next }
    listeners.tell(status)
  }

  /** What the application sees: a provider that gave up is no end while there are others. */
  function showStatus(): void {
    const { state, error } = statusOf(active)
    const hasOthers = candidates.some(({ key }) => !refused.has(key) && key !== active.candidate.key)
    setStatus(state === "failed" && hasOthers ? { state: "reconnecting", error } : statusOf(active))
  }

  function follow(leg: Leg): void {
    const { state } = statusOf(leg)
    if (state === "closed") return
    if (state === "failed") refused.add(leg.candidate.key)
    if (leg === rising) {
      if (state === "failed") abandonRising()
      else promoteIfReady()
    } else if (leg === active) {
      showStatus()
      if (state === "connected") {
        clearTimeout(patience)
        patience = undefined
        dropUnwanted()
        returnLater()
      } else if (state === "failed") raiseNext()
      else patience ??= setTimeout(losePatience, patienceMs)
    }
  }

  function losePatience(): void {
    patience = setTimeout(losePatience, patienceMs)
    // Without a network the others would fail as well, and their code would be downloaded for nothing.
    if (!isOffline()) raiseNext()
  }

  /** Opens the next in turn beside the one in use. */
  function raiseNext(after = rankOf(active)): void {
    if (rising) return
    for (let step = 1; step <= candidates.length; step += 1) {
      const candidate = candidates[(after + step) % candidates.length]
      if (!candidate || candidate.key === active.candidate.key || refused.has(candidate.key)) continue
      raise(candidate)
      return
    }
  }

  function raise(candidate: Candidate): void {
    dropRising()
    // Each round gives them more time: where the network is slow, none would ever be ready in that of the first.
    const rounds = Math.floor(vain / Math.max(1, candidates.length - 1))
    risingPatience = setTimeout(abandonRising, patienceMs * Math.min(maxPatience, 2 ** rounds))
    rising = open(candidate)
    rising.transport.connect()
  }

  function dropRising(): void {
    clearTimeout(risingPatience)
    const dropped = rising
    rising = null
    close(dropped)
  }

  /** While the one in use works and is listed, only a better one is wanted. */
  function dropUnwanted(): void {
    if (!rising) return
    const isGood = isConnected(active) && rankOf(active) >= 0
    if (rankOf(rising) < 0 || (isGood && rankOf(rising) >= rankOf(active))) dropRising()
  }

  /** It didn't work out: on to the next one if the one in use is no good, else later again. */
  function abandonRising(): void {
    const rank = rankOf(rising as Leg)
    dropRising()
    vain = isConnected(active) ? 0 : vain + 1
    showStatus()
    if (!isConnected(active) || rankOf(active) < 0) {
      if (isOffline()) patience ??= setTimeout(losePatience, patienceMs)
      else raiseNext(rank)
      return
    }
    const better = candidates[rank + 1]
    if (better && rank + 1 < rankOf(active)) {
      raise(better)
    } else {
      returnPause = Math.min(maxReturnMs, returnPause * 2)
      returnLater()
    }
  }

  function promoteIfReady(): void {
    if (!rising || !isConnected(rising)) return
    for (const { isAttached, denied } of rising.joined.values()) if (!isAttached && !denied) return
    clearTimeout(risingPatience)
    clearTimeout(patience)
    patience = undefined
    const previous = active
    active = rising
    rising = null
    vain = 0
    refused.clear()
    if (rankOf(active) === 0) returnPause = returnMs
    for (const [channel, { observer }] of wishes) {
      const joined = active.joined.get(channel) as Joined
      if (joined.denied) observer.onDenied(joined.denied)
      // Without the page that may have come when it attached: the cursor has moved since.
      else observer.onAttached()
      if (joined.presence) observer.onPresence(joined.presence)
    }
    close(previous)
    showStatus()
    returnLater()
  }

  /** Goes back to a better one after a while, not in step with other pages. */
  function returnLater(): void {
    clearTimeout(returning)
    returning = setTimeout(() => {
      const [best] = candidates
      if (best && !rising && isConnected(active) && rankOf(active) !== 0) raise(best)
    }, returnPause * randomBetween(0.5, 1.5))
  }

  function connect(): void {
    if (status.state === "closed") return
    isStarted = true
    refused.clear()
    if (!isConnected(active)) patience ??= setTimeout(losePatience, patienceMs)
    if (active.withdrawn) raise(active.candidate)
    else active.transport.connect()
  }

  /** Does something on both legs; what comes of it is the active one's. */
  async function onBoth(
    channel: string,
    action: (subscription: TransportSubscription) => Promise<void>,
  ): Promise<void> {
    const risen = rising?.joined.get(channel)?.subscription
    // The same is asked of it again if it fails, once it takes over.
    if (risen) action(risen).catch(() => {})
    const current = active.joined.get(channel)?.subscription
    if (current) await action(current)
  }

  const transport: FailoverTransport = {
    get provider() {
      return active.candidate.provider
    },
    get capabilities() {
      const { capabilities } = active.transport
      // Who is on another of the list's providers hears only what passes the server.
      const isHeardByAll = candidates.length === 1 || capabilities.signalsPassServer
      return isHeardByAll ? capabilities : { ...capabilities, signalsOverConnection: false }
    },
    get status() {
      return status
    },
    onStatus: listeners.add,
    connect,

    subscribe(channel, observer) {
      const wish: Wish = { observer, watchesPresence: false, data: undefined }
      wishes.set(channel, wish)
      for (const leg of legs()) join(leg, channel, wish)
      return {
        get signal() {
          const signal = active.joined.get(channel)?.subscription.signal
          // Without a connection, nor perhaps the provider's code, it says so itself.
          return !isConnected(active) || transport.capabilities.signalsOverConnection ? signal : undefined
        },
        watchPresence() {
          wish.watchesPresence = true
          for (const leg of legs()) leg.joined.get(channel)?.subscription.watchPresence()
        },
        async enterPresence(data) {
          wish.data = data
          await onBoth(channel, (subscription) => subscription.enterPresence(data))
        },
        async leavePresence() {
          wish.data = undefined
          await onBoth(channel, (subscription) => subscription.leavePresence())
        },
        unsubscribe() {
          if (wishes.get(channel) !== wish) return
          wishes.delete(channel)
          for (const leg of legs()) {
            const { subscription } = leg.joined.get(channel) as Joined
            leg.joined.delete(channel)
            subscription.unsubscribe()
          }
          promoteIfReady()
        },
      }
    },

    get publish() {
      return active.transport.publish
    },

    setCandidates(next) {
      if (next.length === 0 || status.state === "closed") return
      candidates = next
      refused.clear()
      dropUnwanted()
      const [preferred] = candidates
      if (!isStarted) {
        if (preferred && rankOf(active) !== 0) active = open(preferred)
        return
      }
      // Nobody publishes there any more, or it won't try again by itself.
      const isOfNoUse = rankOf(active) < 0 || statusOf(active).state === "failed"
      if (preferred && isOfNoUse && !rising) raise(preferred)
      else returnLater()
    },

    async close() {
      for (const timer of [patience, risingPatience, returning]) clearTimeout(timer)
      setStatus({ state: "closed" })
      await Promise.all(legs().map((leg) => leg.transport.close()))
    },
  }
  return transport
}
