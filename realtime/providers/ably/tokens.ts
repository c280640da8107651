import type { TokenRequest } from "ably"
import type { BaseRealtime } from "ably/modular"
import { backOffMs, keepTrying, pause } from "../../back-off.ts"
import { fromWireError, type OnError, RealtimeError } from "../../errors.ts"
import type { JoinedChannels } from "../../joined-channels.ts"
import type { ChannelState, Joined } from "./joined.ts"
import { fromAblyError, provider } from "./mapping.ts"

export interface TokensOptions {
  credentials(body: Record<string, unknown>): Promise<unknown>
  channels: JoinedChannels<ChannelState>
  /** The first pause before asking again for a token that failed in passing; it doubles. Default 500 ms. */
  retryMs: number | undefined
  /** It can be joined by the token in use, or its turn has come again to ask for one that covers it. */
  onJoinable(channel: Joined): void
  /** The server can't say now whether it may be joined, so the next token won't cover it. */
  onPutOff(channel: Joined): void
  onError: OnError
}

/** The tokens of one connection: each covers all the channels that are joined when it is asked for. */
export interface Tokens {
  /** Whether the token in use covers this channel. */
  covers(name: string): boolean
  /** Whether a new token is to be asked for because of this channel, now. */
  isWantedFor(channel: Joined): boolean
  /**
   * Resolves with a token for the SDK, which connects with it: the one that `renew` has, or else a new one.
   * `isRevoked`: the last one was taken back.
   */
  next(isRevoked: boolean): Promise<string | TokenRequest>
  /**
   * One new token for all that was joined in the same breath, and another one for what was joined meanwhile.
   * Never rejects: what can't be covered is denied.
   */
  renew(client: BaseRealtime): Promise<void>
  /** Says no to a channel, once, until a token covers it. */
  deny(channel: Joined, error: RealtimeError): void
}

/** The SDK waits 10 s for a token. */
const tokenTimeoutMs = 8_000
const maxPauseMs = 10_000
/**
 * Tokens are dated in whole seconds: one of the same second as the revocation would be revoked with the last.
 */
const revokedPauseMs = 1_000

/** Browser: asks the server for tokens, and tells the channels what becomes of them by that. */
export function createTokens(options: TokensOptions): Tokens {
  const { credentials, channels, retryMs = 500, onJoinable, onPutOff, onError } = options
  const backOff = { firstMs: retryMs, maxMs: maxPauseMs }
  /** The channels that the token in use covers. */
  let granted = new Set<string>()
  /** A token that was asked for ahead of the SDK's own request. */
  let prepared: string | TokenRequest | undefined
  let isRenewing = false
  let renewing = Promise.resolve()

  /**
   * A token for all that is joined, or what Ably makes one of. What the server refuses is told to its
   * channel; what it couldn't decide yet is asked for again later, and holds nothing else up.
   */
  async function ask(): Promise<string | TokenRequest> {
    const names = [...channels].map(({ name }) => name)
    const answer = (await credentials({ channels: names })) as {
      token?: unknown
      denied?: Record<string, unknown>
    }
    if (!isToken(answer.token)) {
      throw new RealtimeError("internal", { provider, message: "unable to connect; the token is malformed" })
    }
    const denied = answer.denied ?? {}
    granted = new Set(names.filter((name) => !Object.hasOwn(denied, name)))
    for (const name of names) {
      const channel = channels.get(name)
      if (!channel) continue
      channel.isPresenceRefused = false
      channel.isSignalRefused = false
      if (granted.has(name)) {
        channel.isDenied = false
        channel.failures = 0
        continue
      }
      const error = fromWireError(denied[name], provider)
      if (error.retryable) putOff(channel, error)
      else deny(channel, error)
    }
    return answer.token
  }

  function putOff(channel: Joined, error: RealtimeError): void {
    onPutOff(channel)
    if (channel.isPutOff) return
    const failures = (channel.failures ?? 0) + 1
    channel.isPutOff = true
    channel.failures = failures
    onError(error, { stage: `get a token for ${channel.name}` })
    pause(backOffMs(backOff, failures, error)).then(() => {
      channel.isPutOff = false
      if (channel.isCurrent()) onJoinable(channel)
    })
  }

  /**
   * Asks for a token until there is one: to the SDK a passing failure costs 15 s of connecting, and all of
   * a channel that was joined later.
   */
  const keepAsking = (isWanted: () => boolean) =>
    keepTrying(ask, {
      backOff,
      isWanted,
      onFailed: (error) => onError(error, { stage: "get a token" }),
    })

  function deny(channel: Joined, error: RealtimeError): void {
    if (channel.isDenied) return
    channel.isDenied = true
    channel.observer.onDenied(error)
  }

  const isWantedFor = ({ name, isDenied, isPutOff }: Joined) => !granted.has(name) && !isDenied && !isPutOff

  /**
   * The token is had before the SDK is told, for which a refusal would be the end of a
   * connection that serves other channels.
   */
  async function renewNow(client: BaseRealtime): Promise<void> {
    const uncovered = () => [...channels].filter(isWantedFor)
    const isWanted = () =>
      uncovered().length > 0 || [...channels].some(({ isPresenceRefused }) => isPresenceRefused)
    const isStillWanted = () => client.connection.state === "connected" && isWanted()
    try {
      while (isStillWanted()) {
        prepared = await keepAsking(isStillWanted)
        await client.auth.authorize()
      }
    } catch (error) {
      const reason = fromAblyError(error, "renew the token")
      onError(reason, { stage: "authorize" })
      if (!reason.retryable) for (const channel of uncovered()) deny(channel, reason)
    }
    isRenewing = false
    for (const channel of channels) if (granted.has(channel.name)) onJoinable(channel)
  }

  return {
    covers: (name) => granted.has(name),
    isWantedFor,
    async next(isRevoked) {
      const ready = prepared
      prepared = undefined
      if (ready) return ready
      const end = performance.now() + tokenTimeoutMs
      if (isRevoked) await pause(revokedPauseMs)
      return keepAsking(() => performance.now() < end)
    },
    renew(client) {
      if (!isRenewing) {
        isRenewing = true
        renewing = renewNow(client)
      }
      return renewing
    },
    deny,
  }
}

/** Signed by the server: complete, or for Ably to complete. */
function isToken(value: unknown): value is string | TokenRequest {
  return typeof value === "string" || typeof (value as { mac?: unknown } | null | undefined)?.mac === "string"
}
