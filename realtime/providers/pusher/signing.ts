import { keepTrying } from "../../back-off.ts"
import { isRealtimeError, type OnError, RealtimeError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { Signable } from "./joined.ts"
import { provider } from "./mapping.ts"

export interface SigningOptions {
  credentials(body: Record<string, unknown>): Promise<unknown>
  /** What may be signed by now, by its name in Pusher. */
  signables: ReadonlyMap<string, Signable>
  /** Whether this is still the connection's id. */
  isOpenAs(socketId: string): boolean
  /** The first pause before asking again for what failed in passing; it doubles. */
  retryMs: number
  onError: OnError
}

interface Signature {
  auth: string
  [field: string]: unknown
}

const maxRetryMs = 10_000

/**
 * Browser: the server's signatures. pusher-js never asks twice, not even after a server's passing trouble; so
 * what passes is tried again here, for as long as the same connection waits for it.
 */
export function createSigning({ credentials, signables, isOpenAs, retryMs, onError }: SigningOptions) {
  const ask = (
    request: Record<string, JsonValue>,
    kind: string,
    isWanted: () => boolean,
  ): Promise<Signature> =>
    keepTrying(
      async () => {
        const answer = await credentials(request)
        if (isSignature(answer)) return answer
        throw malformedSignature()
      },
      {
        backOff: { firstMs: retryMs, maxMs: maxRetryMs },
        isWanted,
        onFailed: (error) => onError(error, { stage: `sign for ${kind}` }),
      },
    )

  return {
    /**
     * Signs for a channel. To pusher-js one that is left and joined again meanwhile is joined once: whoever
     * wants it by then is signed for.
     */
    async sign(socketId: string, name: string): Promise<{ auth: string; channel_data?: string }> {
      for (;;) {
        const signable = signables.get(name)
        if (!signable || !isOpenAs(socketId)) throw leftBehind("join; the channel was left")
        const { channel, kind } = signable
        const { name: ours, data } = channel
        signable.signed = { data }
        const isCurrent = () => signables.get(name) === signable && isOpenAs(socketId)
        const request = {
          socketId,
          channel: ours,
          kind,
          ...(kind === "presence" && data !== undefined && { data }),
        }
        try {
          const signature = await ask(request, kind, isCurrent)
          if (isCurrent()) return signature
        } catch (error) {
          if (isCurrent()) throw error
        }
      }
    },

    /**
     * Tells Pusher whose connection this is, so that the server can end it. Everything else works without, so
     * nothing waits for it.
     */
    async signIn(socketId: string): Promise<{ auth: string; user_data: string }> {
      try {
        const answer = await ask({ socketId, kind: "user" }, "user", () => isOpenAs(socketId))
        // pusher-js would sign in whatever connection is there by now, and the service ends one
        // that shows another's signature.
        if (!isOpenAs(socketId)) throw leftBehind("sign in; the connection was replaced")
        if (typeof answer.user_data !== "string") throw malformedSignature()
        return answer as { auth: string; user_data: string }
      } catch (error) {
        const passes = isRealtimeError(error) && error.retryable
        if (!passes) onError(error, { stage: "sign in" })
        throw error
      }
    },
  }
}

const isSignature = (value: unknown): value is Signature =>
  typeof (value as { auth?: unknown } | null | undefined)?.auth === "string"

const leftBehind = (what: string) =>
  new RealtimeError("not-connected", { provider, message: `unable to ${what}` })

const malformedSignature = () =>
  new RealtimeError("internal", { provider, message: "unable to join; the signature is malformed" })
