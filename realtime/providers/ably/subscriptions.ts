import type { BaseRealtime } from "ably/modular"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import type { OnError } from "../../errors.ts"
import type { JoinedChannels } from "../../joined-channels.ts"
import type { ChannelState, Joined } from "./joined.ts"
import { forget, listen } from "./listening.ts"
import { createPresence } from "./presence.ts"
import { createTokens } from "./tokens.ts"

export interface SubscriptionsOptions extends Pick<TransportOptions, "credentials"> {
  channels: JoinedChannels<ChannelState>
  /** The first pause before asking again for a token that failed in passing; it doubles. */
  retryMs?: number | undefined
  onError: OnError
}

/** Browser: joins the channels that a token covers, and leaves them. */
export function createSubscriptions(options: SubscriptionsOptions) {
  const { channels, onError } = options
  let client: BaseRealtime | null = null
  const tokens = createTokens({ ...options, onJoinable: join, onPutOff: putOff })
  const presence = createPresence({ renewToken: () => client && tokens.renew(client), onError })
  /**
   * The channels that are being left. The SDK would take the service's answer to that for the end of an
   * attachment that is asked for meanwhile, and try again after 15 s.
   */
  const leaving = new Set<string>()

  /** Attaches a channel that the token covers; asks for a new token first where it doesn't. */
  function join(channel: Joined): void {
    if (client?.connection.state !== "connected" || channel.messages || leaving.has(channel.name)) return
    if (tokens.covers(channel.name)) listen(channel, client, { tokens, presence, onError })
    else if (tokens.isWantedFor(channel)) void tokens.renew(client)
  }

  function leave(channel: Joined): void {
    const { name } = channel
    const left = forget(channel).map((one) =>
      one.detach().then(
        () => client?.channels.release(one.name),
        () => {
          // Without a connection there is nothing to leave.
        },
      ),
    )
    if (left.length === 0) return
    leaving.add(name)
    Promise.all(left).then(() => {
      leaving.delete(name)
      const next = channels.get(name)
      if (next) join(next)
    })
  }

  /** The service would end what the token no longer covers: it is left before. */
  function putOff(channel: Joined): void {
    if (!channel.messages) return
    channel.detached()
    leave(channel)
  }

  return {
    tokens,
    presence,
    join,
    leave,
    /** From now on channels can be joined: those that aren't yet are. */
    open(opened: BaseRealtime): void {
      client = opened
      for (const channel of channels) join(channel)
    },
  }
}
