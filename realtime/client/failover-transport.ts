import { randomBetween } from "../back-off.ts"
import type { OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { createJoinedChannels, type JoinedChannel, subscribeAt } from "../joined-channels.ts"
import type { PresenceSnapshot } from "../message.ts"
import type { RealtimeTransport, TransportStatus, TransportSubscription } from "../transport.ts"
import { createStatus } from "../transport-status.ts"
import { beginFailover, type FailoverCommand, type FailoverEvent, nextFailover } from "./failover-policy.ts"

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
   * How long the provider in use may be without a connection before the next one is tried beside it, and how
   * long that may take until it carries everything; more in each round in which none did. Default 10 s.
   */
  patienceMs?: number
  /**
   * How long after a move the preferred one is tried again; longer after each attempt in vain. Default 60 s.
   */
  returnMs?: number
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

export interface FailoverTransport extends RealtimeTransport {
  /**
   * Follows a changed list: what is in use stays until a better one carries everything.
   */
  setCandidates(candidates: readonly Candidate[]): void
}

/** One provider's transport, and how far it has come with each channel. */
interface Link {
  candidate: Candidate
  transport: RealtimeTransport
  channels: Map<string, LinkChannel>
  /** The server doesn't know the provider any more, which ends this link and refuses nobody. */
  withdrawn?: RealtimeError
}

interface LinkChannel {
  subscription: TransportSubscription
  isAttached: boolean
  denied?: RealtimeError
  presence?: PresenceSnapshot
}

/**
 * One transport over several providers. The first is used; when it fails, or stays without a connection, the
 * next is opened beside it, and takes over once it carries every channel: make before break.
 * `failover-policy.ts` decides when, this does it. Whatever either delivers is passed on, since the client
 * above takes each message once and in order; signals and presence come from the one in use. A list that
 * changes before `connect` may connect another one at once.
 */
export function createFailoverTransport(options: FailoverOptions): FailoverTransport {
  const { patienceMs = 10_000, returnMs = 60_000 } = options
  const times = { patienceMs, returnMs }
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels()
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  /** What happened while commands were being performed: it is told once they are done. */
  const happened: (() => FailoverEvent | null)[] = []
  let isPerforming = false
  let candidates = options.candidates

  const [first] = candidates
  if (!first) throw new TypeError("unable to create a transport; there is no provider")
  let state = beginFailover(keysOf(candidates), times)
  let active = open(first)
  let standby: Link | null = null
  let toldProvider = first.provider
  // A transport that is handed over may have come far already, which is no news.
  status.set(active.transport.status)

  const links = () => (standby ? [active, standby] : [active])
  const isConnected = (link: Link) => statusOf(link).state === "connected"

  function open(candidate: Candidate): Link {
    const link: Link = { candidate, transport: candidate.create(), channels: new Map() }
    link.transport.onStatus(() => follow(link))
    for (const channel of channels) join(link, channel)
    return link
  }

  function close(link: Link | null): void {
    void link?.transport.close()
  }

  function join(link: Link, channel: JoinedChannel): void {
    const { name, observer } = channel
    const joined = { isAttached: false } as LinkChannel
    link.channels.set(name, joined)
    const isWanted = () => link.channels.get(name) === joined && (link === active || link === standby)
    joined.subscription = subscribeAt(link.transport, channel, onError, {
      ...observer,
      onAttached(page) {
        if (!isWanted()) return
        joined.isAttached = true
        if (link === active) observer.onAttached(page)
        else follow(link)
      },
      onDetached() {
        if (!isWanted()) return
        joined.isAttached = false
        if (link === active) observer.onDetached()
      },
      onDenied(error) {
        if (!isWanted()) return
        if (error.code === "unsupported") {
          link.withdrawn = error
          if (joined.isAttached && link === active) observer.onDetached()
          follow(link)
          return
        }
        joined.denied = error
        if (link === active) observer.onDenied(error)
        else follow(link)
      },
      onMessages: (messages) => isWanted() && observer.onMessages(messages),
      onSignal: (signal) => isWanted() && link === active && observer.onSignal(signal),
      onPresence(snapshot) {
        if (!isWanted()) return
        joined.presence = snapshot
        if (link === active) observer.onPresence(snapshot)
      },
    })
  }

  /** A move from one connection to another is news as well. */
  function setStatus(next: TransportStatus): void {
    const { provider } = active.candidate
    const { state, error } = status.current
    if (next.state === state && next.error === error && provider === toldProvider) return
    toldProvider = provider
    // Another object, for whoever compares: React does.
    status.set({ ...next })
  }

  /** Something may have changed at a link. */
  function follow(link: Link): void {
    happens(() => {
      const { state } = statusOf(link)
      if (state === "closed") return null
      if (link === active) return { type: "active-is", state: link.withdrawn ? "withdrawn" : state }
      if (link !== standby) return null
      if (state === "failed") return { type: "standby-failed", isOffline: isOffline() }
      return isReady(link) ? { type: "standby-ready" } : null
    })
  }

  /** `what` is only asked when it is its turn: by then it may be no news any more. */
  function happens(what: () => FailoverEvent | null): void {
    happened.push(what)
    if (isPerforming) return
    isPerforming = true
    try {
      for (let next = happened.shift(); next; next = happened.shift()) {
        const event = status.current.state === "closed" ? null : next()
        if (!event) continue
        const { state: after, commands } = nextFailover(state, event, times)
        state = after
        for (const command of commands) perform(command)
      }
    } finally {
      isPerforming = false
    }
  }

  function perform(command: FailoverCommand): void {
    switch (command.type) {
      case "raise":
        standby = open(candidateOf(command.key))
        standby.transport.connect()
        break
      case "drop": {
        const dropped = standby
        standby = null
        close(dropped)
        break
      }
      case "promote":
        promote(standby as Link)
        break
      case "connect":
        active.transport.connect()
        break
      case "show-status": {
        const { state, error } = statusOf(active)
        // A provider that gave up is no end while there are others.
        const isPassing = state === "failed" && command.hasOthers
        setStatus(isPassing ? { state: "reconnecting", error } : statusOf(active))
        break
      }
      case "wait":
        wait(command)
        break
      case "stop-waiting":
        clearTimeout(timers.get(command.of))
    }
  }

  /** Of a provider that was taken off the list only the active one is asked for. */
  const candidateOf = (key: string) =>
    candidates.find((candidate) => candidate.key === key) ?? active.candidate

  function promote(next: Link): void {
    const previous = active
    active = next
    standby = null
    for (const { name, observer } of channels) {
      const joined = active.channels.get(name) as LinkChannel
      if (joined.denied) observer.onDenied(joined.denied)
      // Without the page that may have come when it attached: the cursor has moved since.
      else observer.onAttached()
      if (joined.presence) observer.onPresence(joined.presence)
    }
    close(previous)
  }

  function wait({ of, ms }: Extract<FailoverCommand, { type: "wait" }>): void {
    clearTimeout(timers.get(of))
    const over = () => happens(() => ({ type: "time-over", of, isOffline: isOffline() }))
    // All pages lost the preferred provider at the same moment, and aren't to
    // come back to it at the same moment.
    timers.set(of, setTimeout(over, of === "return" ? ms * randomBetween(0.5, 1.5) : ms))
  }

  /** Does something on both links; what comes of it is the active one's. */
  async function onBoth(
    name: string,
    action: (subscription: TransportSubscription) => Promise<void>,
  ): Promise<void> {
    const raised = standby?.channels.get(name)?.subscription
    // The same is asked of it again if it fails, once it takes over.
    if (raised) action(raised).catch(() => {})
    const current = active.channels.get(name)?.subscription
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
      return status.current
    },
    onStatus: status.onStatus,
    connect: () => happens(() => ({ type: "connect" })),

    subscribe(name, observer) {
      const channel = channels.join(name, observer, {})
      for (const link of links()) join(link, channel)
      return {
        get signal() {
          const signal = active.channels.get(name)?.subscription.signal
          // Without a connection, nor perhaps the provider's code, it says so itself.
          return !isConnected(active) || transport.capabilities.signalsOverConnection ? signal : undefined
        },
        watchState: (wanted) => active.channels.get(name)?.subscription.watchState?.(wanted),
        watchPresence() {
          channel.watchesPresence = true
          for (const link of links()) link.channels.get(name)?.subscription.watchPresence()
        },
        async enterPresence(data) {
          channel.data = data
          await onBoth(name, (subscription) => subscription.enterPresence(data))
        },
        async leavePresence() {
          channel.data = undefined
          await onBoth(name, (subscription) => subscription.leavePresence())
        },
        unsubscribe() {
          if (!channel.leave()) return
          for (const link of links()) {
            const { subscription } = link.channels.get(name) as LinkChannel
            link.channels.delete(name)
            subscription.unsubscribe()
          }
          if (standby) follow(standby)
        },
      }
    },

    get publish() {
      return active.transport.publish
    },

    setCandidates(next) {
      if (next.length === 0 || status.current.state === "closed") return
      candidates = next
      happens(() => ({ type: "list-changed", keys: keysOf(candidates) }))
    },

    async close() {
      for (const timer of timers.values()) clearTimeout(timer)
      setStatus({ state: "closed" })
      await Promise.all(links().map((link) => link.transport.close()))
    },
  }
  if (status.current.state !== "connecting") follow(active)
  return transport
}

const keysOf = (candidates: readonly Candidate[]) => candidates.map(({ key }) => key)

const statusOf = ({ withdrawn, transport }: Link): TransportStatus =>
  withdrawn ? { state: "failed", error: withdrawn } : transport.status

const isReady = ({ transport, channels }: Link) =>
  transport.status.state === "connected" &&
  [...channels.values()].every(({ isAttached, denied }) => isAttached || denied)

const isOffline = () => typeof navigator !== "undefined" && navigator.onLine === false
