import { createHmac, timingSafeEqual } from "node:crypto"
import type { Rest, TokenParams } from "ably"
import { SignJWT } from "jose"
import { isRealtimeError, RealtimeError, toWireError, type WireError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import { jsonByteLength, type User } from "../../message.ts"
import { groupWithin, packMessages, packPatches } from "../../packing.ts"
import {
  type ChannelAction,
  type CredentialsRequest,
  type ProviderEvent,
  type RealtimePublisher,
  type WebhookRequest,
  webhookWindowMs,
} from "../../publisher.ts"
import { requireVariables } from "../../required.ts"
import { defaultStateRate } from "../../state.ts"
import { ablyCapabilities } from "./capabilities.ts"
import {
  type AblyMember,
  type ChannelRights,
  capabilityOf,
  fromAblyError,
  fromAblyMembers,
  fromWebhook,
  messagesChannel,
  messagesEvent,
  provider,
  revocationKeyOf,
  signalEvent,
  signalExtras,
  signalsChannel,
  stateEvent,
  toAblyData,
  toClientId,
  webhookDate,
} from "./mapping.ts"

/** What `createAblyPublisher` takes. */
export interface AblyPublisherOptions {
  /**
   * `appId.keyId:secret`. The key needs `publish`, `subscribe` and `presence` on all channels, and to take
   * permissions back at once, revocable tokens: https://ably.com/docs/auth/revocation
   */
  apiKey: string
  /** A host in place of Ably's own: an emulator's. Default: Ably's. */
  endpoint?: string | undefined
  /** With `endpoint`. Default: that of HTTP or HTTPS. */
  port?: number | undefined
  /** False: plain HTTP and `ws:`, to `endpoint`. Default true. */
  tls?: boolean | undefined
  /** How long a browser's token lasts; it is renewed over the live connection. Default an hour. */
  tokenTtlMs?: number
  /** How long one request may take. Default 3 s, so that a second attempt has its chance. */
  timeoutMs?: number
  /** The time of day, in milliseconds since 1970. Default: the machine's. */
  now?: () => number
}

/**
 * Ably's limits of a batch: https://ably.com/docs/messages/batch. 2 MiB for the
 * whole request; some of it is framing.
 */
const maxSpecsPerBatch = 100
const maxBatchBytes = 2 * 1024 * 1024 - 64 * 1024
/** The most channels of one token; a page that joins more is refused the rest. */
const { maxChannels } = ablyCapabilities
/**
 * A JWT travels in an address and in headers, where much more than 8 kB isn't taken:
 * https://ably.com/docs/auth/token/jwt
 */
const maxJwtLength = 6 * 1024

/** What is published to one channel by a batch. */
interface Spec {
  channels: [string]
  messages: [{ name: string; data: string; extras?: object }]
}

/**
 * The vendor's SDK is handed in: it is an optional peer, and bundlers may follow imports of
 * this file where it isn't installed.
 */
export function createPublisher(
  sdk: { Rest: typeof Rest },
  options: AblyPublisherOptions,
): RealtimePublisher {
  const { apiKey, endpoint, port, tls = true, tokenTtlMs = 3_600_000, timeoutMs = 3_000 } = options
  requireVariables(provider, { ABLY_API_KEY: apiKey })
  const { now = Date.now } = options
  const [keyName, secret] = apiKey.split(/:(.*)/s)
  if (!keyName || !secret) {
    throw new RealtimeError("invalid-config", {
      provider,
      message: "unable to use ABLY_API_KEY; it is no key of Ably's, as in app.key:secret",
    })
  }
  const host = endpoint
    ? { endpoint, tls, ...(port !== undefined && (tls ? { tlsPort: port } : { port })) }
    : {}
  const rest = new sdk.Rest({
    key: apiKey,
    ...host,
    httpRequestTimeout: timeoutMs,
    httpMaxRetryDuration: timeoutMs,
    logLevel: 1,
  })
  const signingKey = new TextEncoder().encode(secret)

  async function publishAll(specs: readonly Spec[]): Promise<void> {
    for (const batch of inBatches(specs)) {
      const results = await rest.batchPublish(batch).catch((error: unknown) => {
        throw fromAblyError(error, "publish")
      })
      const errors = results
        .flatMap(({ results }) => results)
        .flatMap((result) => ("error" in result ? [fromAblyError(result.error, "publish")] : []))
      // What passes decides: what one channel refuses for good must not keep
      // the others from being tried again.
      const error = errors.find(({ retryable }) => retryable) ?? errors[0]
      if (error) throw error
    }
  }

  /**
   * A token for exactly the channels that were asked for and are allowed; the
   * others come back with the reason, which may be one that passes.
   */
  async function credentials({ user, body, authorize }: CredentialsRequest): Promise<JsonValue> {
    const { channels } = body
    if (!Array.isArray(channels) || !channels.every((channel) => typeof channel === "string")) {
      throw new RealtimeError("invalid-request", {
        provider,
        message: "unable to sign; the request is malformed",
      })
    }
    const answers = await Promise.all(
      channels.map((channel, index) =>
        rightsAt(index, channel, authorize).then(
          (rights) => ({ channel, rights }),
          (error: unknown) => ({ channel, error }),
        ),
      ),
    )
    // What the server fails at holds up nothing else, where the page can ask for that by itself again. Where
    // it fails at everything, all is asked again.
    const failed = answers.filter((answer) => "error" in answer)
    const passing = failed.find(({ error }) => isPassing(error))
    const isDecided = answers.some((answer) => !("error" in answer) || !isPassing(answer.error))
    if (passing && !(body.mayBePartial === true && isDecided)) throw passing.error
    const capability: Record<string, string[]> = {}
    const denied: Record<string, WireError> = {}
    for (const answer of answers) {
      if ("error" in answer) denied[answer.channel] = toWireError(answer.error)
      else Object.assign(capability, capabilityOf(answer.channel, answer.rights))
    }
    // A token needs some capability; this channel carries nothing.
    if (Object.keys(capability).length === 0) capability[messagesChannel("")] = ["subscribe"]
    const token = await new SignJWT({
      "x-ably-capability": JSON.stringify(capability),
      "x-ably-clientId": toClientId(user),
      // Without the name, which may change.
      "x-ably-revocation-key": revocationKeyOf(user.id),
    })
      .setProtectedHeader({ typ: "JWT", alg: "HS256", kid: keyName as string })
      .setIssuedAt(Math.floor(now() / 1000))
      .setExpirationTime(Math.ceil((now() + tokenTtlMs) / 1000))
      .sign(signingKey)
    return {
      token: token.length > maxJwtLength ? await requestFor(user, capability) : token,
      denied: denied as unknown as JsonValue,
    }
  }

  /**
   * For whom is in so many channels that no JWT holds them: the browser has Ably
   * make a token of it, which is short.
   */
  async function requestFor(user: User, capability: Record<string, string[]>): Promise<JsonValue> {
    const wanted = { capability, clientId: toClientId(user), ttl: tokenTtlMs, timestamp: now() }
    return {
      ...(await rest.auth.createTokenRequest(wanted as unknown as TokenParams)),
    } as unknown as JsonValue
  }

  /**
   * Ably signs a webhook with the key that its rule names, `X-Ably-Key`; here that must be `ABLY_API_KEY`.
   */
  async function webhook({ headers, rawBody, now: receivedAt }: WebhookRequest): Promise<ProviderEvent[]> {
    const expected = createHmac("sha256", secret as string)
      .update(rawBody)
      .digest()
    const given = Buffer.from(headers.get("x-ably-signature") ?? "", "base64")
    const isSigned = given.length === expected.length && timingSafeEqual(given, expected)
    if (!isSigned || headers.get("x-ably-key") !== keyName) {
      const message = "unable to take the webhook; it isn't signed with ABLY_API_KEY"
      throw new RealtimeError("unauthorized", { provider, message })
    }
    const body = parseJson(rawBody)
    if (body === undefined) {
      throw new RealtimeError("invalid-request", {
        provider,
        message: "unable to take the webhook; it is no JSON",
      })
    }
    const date = webhookDate(body)
    if (date === null || Math.abs(receivedAt - date) > webhookWindowMs) {
      const message = `unable to take the webhook; its date isn't within ${webhookWindowMs / 60_000} minutes of now`
      throw new RealtimeError("unauthorized", { provider, message })
    }
    return fromWebhook(body)
  }

  return {
    provider,
    webhook,
    async publish(messages) {
      await publishAll(
        packMessages(messages, ablyCapabilities.maxDeliveryBytes).map((group) => ({
          channels: [messagesChannel(group[0]?.channel ?? "")],
          messages: [{ name: messagesEvent, data: toAblyData(group) }],
        })),
      )
    },
    async signal({ channel, event, payload, from, origin }) {
      const data = toAblyData({ event, payload, from: toClientId(from), origin })
      await publishAll([
        {
          channels: [signalsChannel(channel)],
          messages: [{ name: signalEvent, data, extras: signalExtras }],
        },
      ])
    },
    state: {
      intervalMs: 1_000 / defaultStateRate,
      async publish(patches) {
        await publishAll(
          packPatches(patches, ablyCapabilities.maxDeliveryBytes).map((group) => ({
            channels: [messagesChannel(group[0]?.channel ?? "")],
            messages: [{ name: stateEvent, data: toAblyData(group), extras: signalExtras }],
          })),
        )
      },
    },
    async revoke(userId) {
      try {
        const target = { type: "revocationKey", value: revocationKeyOf(userId) }
        const { results } = await rest.auth.revokeTokens([target])
        for (const result of results) if ("error" in result) throw result.error
      } catch (error) {
        throw fromAblyError(error, "revoke")
      }
    },
    async members(channel) {
      try {
        const members: AblyMember[] = []
        let page = await rest.channels.get(messagesChannel(channel)).presence.get({ limit: 1000 })
        for (;;) {
          members.push(...page.items)
          const next = page.hasNext() ? await page.next() : null
          if (!next) break
          page = next
        }
        return fromAblyMembers(members, ablyCapabilities.maxPresenceMembers)
      } catch (error) {
        throw fromAblyError(error, "read the members")
      }
    },
    clientConfig: () => ({
      provider,
      ...(endpoint && { endpoint, tls, ...(port !== undefined && { port }) }),
    }),
    credentials,
    close: async () => {},
  }
}

async function rightsAt(index: number, channel: string, authorize: CredentialsRequest["authorize"]) {
  if (index < maxChannels) return rightsIn(channel, authorize)
  const message = `unable to join more than ${maxChannels} channels over one connection; leave others first`
  throw new RealtimeError("rate-limited", { provider, message, retryable: false })
}

/**
 * Whoever may read may come in; whether they may signal and appear there is asked
 * as well, since Ably won't ask us.
 */
async function rightsIn(channel: string, authorize: CredentialsRequest["authorize"]): Promise<ChannelRights> {
  await authorize(channel, "subscribe")
  const may = (action: ChannelAction) =>
    authorize(channel, action).then(
      () => true,
      (error: unknown) => {
        if (isRealtimeError(error) && error.code === "channel-denied") return false
        throw error
      },
    )
  const [signal, presence] = await Promise.all([may("signal"), may("presence")])
  return { signal, presence }
}

/** What may be answered otherwise later: an accident of the server, not a refusal. */
const isPassing = (error: unknown) => !isRealtimeError(error) || error.retryable

/** As few requests as Ably's limits leave. */
const inBatches = (specs: readonly Spec[]): Spec[][] =>
  groupWithin(specs, maxBatchBytes, jsonByteLength, ({ length }) => length < maxSpecsPerBatch)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
