import type { OnError, RealtimeError } from "../errors.ts"
import { type JoinedChannel, subscribeAt } from "../joined-channels.ts"
import type { PresenceSnapshot } from "../message.ts"
import type { RealtimeTransport, TransportStatus, TransportSubscription } from "../transport.ts"
import type { Candidate } from "./candidate.ts"
import type { FailoverEvent } from "./failover-policy.ts"
import { isOffline } from "./is-offline.ts"

/** One provider's transport, and how far it has come with each channel. */
export interface Link {
  readonly candidate: Candidate
  readonly transport: RealtimeTransport
  /** Of its connection, or why the server doesn't know the provider any more. */
  readonly status: TransportStatus
  /** What has become of it by now, if that is anything to the policy. */
  news(): FailoverEvent | null
  join(channel: JoinedChannel): void
  /** Undefined once it is left. */
  subscription(channel: string): TransportSubscription | undefined
  leave(channel: string): void
  /** Tells the channel's observer how far it has come here. */
  present(channel: JoinedChannel): void
}

interface LinkChannel {
  subscription: TransportSubscription
  isAttached: boolean
  denied?: RealtimeError
  presence?: PresenceSnapshot
}

/**
 * Makes the candidate's transport. `opened` are the active link and, where there is one, the standby. A
 * standby's messages are passed on, since the client takes each once; what else it says is kept until it is
 * the active one. Of a link that was left nothing is heard. `onChange` is told whenever there may be news.
 */
export function createLink(
  candidate: Candidate,
  opened: () => readonly Link[],
  onChange: (news: Link["news"]) => void,
  onError: OnError,
): Link {
  const transport = candidate.create()
  const channels = new Map<string, LinkChannel>()
  /** The server doesn't know the provider any more, which ends this link and refuses nobody. */
  let withdrawn: RealtimeError | undefined
  const isActive = () => opened()[0] === link
  const isLeft = () => !opened().includes(link)

  /** Connected, and every channel was accepted or refused. */
  const isReady = () =>
    transport.status.state === "connected" &&
    [...channels.values()].every(({ isAttached, denied }) => isAttached || denied)

  function news(): FailoverEvent | null {
    const { state } = link.status
    if (state === "closed" || isLeft()) return null
    if (isActive()) return { type: "active-is", state: withdrawn ? "withdrawn" : state }
    if (state === "failed") return { type: "standby-failed", isOffline: isOffline() }
    return isReady() ? { type: "standby-ready" } : null
  }

  function join(channel: JoinedChannel): void {
    const { name, observer } = channel
    const joined = { isAttached: false } as LinkChannel
    channels.set(name, joined)
    const isWanted = () => channels.get(name) === joined && !isLeft()
    joined.subscription = subscribeAt(transport, channel, onError, {
      ...observer,
      onAttached(page) {
        if (!isWanted()) return
        joined.isAttached = true
        if (isActive()) observer.onAttached(page)
        else onChange(news)
      },
      onDetached() {
        if (!isWanted()) return
        joined.isAttached = false
        if (isActive()) observer.onDetached()
      },
      onDenied(error) {
        if (!isWanted()) return
        if (error.code === "unsupported") {
          withdrawn = error
          if (joined.isAttached && isActive()) observer.onDetached()
          onChange(news)
          return
        }
        joined.denied = error
        if (isActive()) observer.onDenied(error)
        else onChange(news)
      },
      onMessages: (messages) => isWanted() && observer.onMessages(messages),
      onSignal: (signal) => isWanted() && isActive() && observer.onSignal(signal),
      onPresence(snapshot) {
        if (!isWanted()) return
        joined.presence = snapshot
        if (isActive()) observer.onPresence(snapshot)
      },
    })
  }

  const link: Link = {
    candidate,
    transport,
    get status(): TransportStatus {
      return withdrawn ? { state: "failed", error: withdrawn } : transport.status
    },
    news,
    join,
    subscription: (channel) => channels.get(channel)?.subscription,
    leave(channel) {
      const left = link.subscription(channel)
      channels.delete(channel)
      left?.unsubscribe()
      // It may only have waited for this one.
      if (!isActive()) onChange(news)
    },
    present({ name, observer }) {
      const { denied, presence } = channels.get(name) as LinkChannel
      if (denied) observer.onDenied(denied)
      // Without the page that may have come when it attached: the cursor has moved since.
      else observer.onAttached()
      if (presence) observer.onPresence(presence)
    },
  }
  transport.onStatus(() => onChange(news))
  return link
}
