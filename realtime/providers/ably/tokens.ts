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
  retryMs?: number | undefined
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
  /** The service has taken the newest token: from now on that is the one in use. */
  taken(): void
  /** Says no to a channel, once, until a token covers it. */
  deny(channel: Joined, error: RealtimeError): void
}

/** The SDK waits 10 s for a token. */
const tokenTimeoutMs = 8_000
const maxPauseMs = 10_000
/** So often it is asked whether a channel that is attached may stay, before it is left for now. */
const patientAttempts = 3
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
  /** Those of a newer one, which the service hasn't taken yet. */
  let offered: Set<string> | undefined
  /** A token that was asked for ahead of the SDK's own request. */
  let prepared: string | TokenRequest | undefined
  let isRenewing = false
  let renewing = Promise.resolve()
  /** How many times in a row the server couldn't say something of a channel. */
  let failures = 0
  let isPausing = false

  /**
   * A token for all that is joined, or what Ably makes one of. What the server refuses is told to its
   * channel; what it can't decide now is asked for again later, and holds nothing else up. Where that is one
   * which is attached, it rejects as long as `isPatient`: the token in use still covers it.
   */
  async function ask(isPatient: boolean): Promise<string | TokenRequest> {
    const names = [...channels].map(({ name }) => name)
    const answer = (await credentials({ channels: names, mayBePartial: true })) as {
      token?: unknown
      denied?: Record<string, unknown>
    }
    if (!isToken(answer.token)) {
      throw new RealtimeError("internal", { provider, message: "unable to connect; the token is malformed" })
    }
    const refusals = new Map<Joined, RealtimeError>()
    for (const [name, error] of Object.entries(answer.denied ?? {})) {
      const channel = channels.get(name)
      if (channel) refusals.set(channel, fromWireError(error, provider))
    }
    const undecided = [...refusals].filter(([, { retryable }]) => retryable)
    const lost = undecided.find(([{ isAttached }]) => isAttached)
    if (lost && isPatient) throw lost[1]
    offered = new Set(names.filter((name) => !Object.hasOwn(answer.denied ?? {}, name)))
    for (const name of names) {
      const channel = channels.get(name)
      if (!channel) continue
      const error = refusals.get(channel)
      channel.isPresenceRefused = false
      channel.isSignalRefused = false
      channel.isPutOff = error?.retryable === true
      if (!error) channel.isDenied = false
      else if (error.retryable) onPutOff(channel)
      else deny(channel, error)
    }
    if (undecided[0]) askAgainLater(undecided[0][1])
    else failures = 0
    return answer.token
  }

  /** Once for all that is put off: one more token serves them all. */
  function askAgainLater(error: RealtimeError): void {
    onError(error, { stage: "get a token" })
    if (isPausing) return
    isPausing = true
    failures += 1
    pause(backOffMs(backOff, failures, error)).then(() => {
      isPausing = false
      const waiting = [...channels].filter(({ isPutOff }) => isPutOff)
      for (const channel of waiting) channel.isPutOff = false
      for (const channel of waiting) onJoinable(channel)
    })
  }

  /**
   * Asks for a token until there is one: to the SDK a passing failure costs 15 s of connecting, and all of
   * a channel that was joined later.
   */
  function keepAsking(isWanted: () => boolean): Promise<string | TokenRequest> {
    let attempts = 0
    const attempt = () => {
      attempts += 1
      return ask(attempts <= patientAttempts)
    }
    return keepTrying(attempt, {
      backOff,
      isWanted,
      onFailed: (error) => onError(error, { stage: "get a token" }),
    })
  }

  function deny(channel: Joined, error: RealtimeError): void {
    if (channel.isDenied) return
    channel.isDenied = true
    channel.observer.onDenied(error)
  }

  const isWantedFor = ({ name, isDenied, isPutOff }: Joined) => !granted.has(name) && !isDenied && !isPutOff

  function taken(): void {
    granted = offered ?? granted
    offered = undefined
  }

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
        taken()
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
    taken,
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
