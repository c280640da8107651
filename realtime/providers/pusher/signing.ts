import type { Options } from "pusher-js"
import { keepTrying } from "../../back-off.ts"
import { isRealtimeError, type OnError, RealtimeError, type RealtimeErrorCode } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { Signables } from "./joined.ts"
import { provider } from "./mapping.ts"

export interface SigningOptions {
  credentials(body: Record<string, unknown>): Promise<unknown>
  signables: Signables
  /** Whether this is still the connection's id. */
  isOpenAs(socketId: string): boolean
  /** The first pause before asking again for what failed in passing; it doubles. */
  retryMs: number
  /** Our server said no to a channel. */
  onRefused(name: string, reason: RealtimeError): void
  onError: OnError
}

interface SignatureRequest extends Record<string, JsonValue> {
  kind: string
}

interface Signature {
  auth: string
  [field: string]: unknown
}

const maxRetryMs = 10_000

/**
 * Browser: the server's signatures, as pusher-js takes them. It never asks twice, not even after a server's
 * passing trouble; so what passes is tried again here, for as long as the same connection waits for it.
 */
export function createSigning(
  options: SigningOptions,
): Pick<Options, "channelAuthorization" | "userAuthentication"> {
  const { credentials, signables, isOpenAs, retryMs, onRefused, onError } = options
  const ask = (request: SignatureRequest, isWanted: () => boolean): Promise<Signature> =>
    keepTrying(
      async () => {
        const answer = await credentials(request)
        if (isSignature(answer)) return answer
        throw unableTo("join; the signature is malformed", "internal")
      },
      {
        backOff: { firstMs: retryMs, maxMs: maxRetryMs },
        isWanted,
        onFailed: (error) => onError(error, { stage: `sign for ${request.kind}` }),
      },
    )

  /**
   * Signs for a channel. To pusher-js one that is left and joined again meanwhile is joined once: whoever
   * wants it by then is signed for.
   */
  async function sign(socketId: string, name: string): Promise<Signature> {
    for (;;) {
      const signable = signables.get(name)
      if (!signable || !isOpenAs(socketId)) throw unableTo("join; the channel was left", "not-connected")
      const { channel, kind } = signable
      const { data } = channel
      signable.signed = { data }
      const isCurrent = () => signables.get(name) === signable && isOpenAs(socketId)
      const request = {
        socketId,
        channel: channel.name,
        kind,
        ...(kind === "presence" && data !== undefined && { data }),
      }
      try {
        const signature = await ask(request, isCurrent)
        if (isCurrent()) return signature
      } catch (error) {
        if (isCurrent()) throw error
      }
    }
  }

  /**
   * Tells Pusher whose connection this is, so that the server can end it. Everything else works without, so
   * nothing waits for it.
   */
  async function signIn(socketId: string): Promise<{ auth: string; user_data: string }> {
    try {
      const answer = await ask({ socketId, kind: "user" }, () => isOpenAs(socketId))
      // pusher-js would sign in whatever connection is there by now, and the service ends one
      // that shows another's signature.
      if (!isOpenAs(socketId)) throw unableTo("sign in; the connection was replaced", "not-connected")
      if (typeof answer.user_data !== "string") throw unableTo("join; the signature is malformed", "internal")
      return answer as { auth: string; user_data: string }
    } catch (error) {
      const passes = isRealtimeError(error) && error.retryable
      if (!passes) onError(error, { stage: "sign in" })
      throw error
    }
  }

  return {
    channelAuthorization: {
      customHandler({ socketId, channelName }, callback) {
        // pusher-js would take what comes late for an answer about the connection that is there by now.
        sign(socketId, channelName).then(
          (signature) => isOpenAs(socketId) && callback(null, signature),
          (error: Error) => {
            if (!isOpenAs(socketId)) return
            callback(error, null)
            const reason = isRealtimeError(error)
              ? error
              : unableTo("join; Pusher refused", "provider-unavailable", error)
            onRefused(channelName, reason)
          },
        )
      },
    },
    userAuthentication: {
      customHandler({ socketId }, callback) {
        signIn(socketId).then(
          (signature) => callback(null, signature),
          (error: Error) => callback(error, null),
        )
      },
    },
  }
}

const isSignature = (value: unknown): value is Signature =>
  typeof (value as { auth?: unknown } | null | undefined)?.auth === "string"

const unableTo = (what: string, code: RealtimeErrorCode, cause?: unknown) =>
  new RealtimeError(code, { provider, message: `unable to ${what}`, cause })
