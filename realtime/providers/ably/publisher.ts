import type { Rest } from "ably"
import { packMessages, packPatches } from "../../packing.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import { defaultStateRate } from "../../state.ts"
import { parseApiKey } from "./api-key.ts"
import { publishAll } from "./batches.ts"
import { ablyCapabilities } from "./capabilities.ts"
import { createCredentials } from "./credentials.ts"
import {
  type AblyMember,
  fromAblyError,
  fromAblyMembers,
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
} from "./mapping.ts"
import { readWebhook } from "./webhook.ts"

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
 * The vendor's SDK is handed in: it is an optional peer, and bundlers may follow imports of
 * this file where it isn't installed.
 */
export function createPublisher(
  sdk: { Rest: typeof Rest },
  options: AblyPublisherOptions,
): RealtimePublisher {
  const { apiKey, endpoint, port, tls = true, tokenTtlMs = 3_600_000, timeoutMs = 3_000 } = options
  const { now = Date.now } = options
  const key = parseApiKey(apiKey)
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

  return {
    provider,
    webhook: async (request) => readWebhook(key, request),
    async publish(messages) {
      await publishAll(
        rest,
        packMessages(messages, ablyCapabilities.maxDeliveryBytes).map((group) => ({
          channels: [messagesChannel(group[0]?.channel ?? "")],
          messages: [{ name: messagesEvent, data: toAblyData(group) }],
        })),
      )
    },
    async signal({ channel, event, payload, from, origin }) {
      const data = toAblyData({ event, payload, from: toClientId(from), origin })
      await publishAll(rest, [
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
          rest,
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
    credentials: createCredentials({ apiKey: key, auth: rest.auth, tokenTtlMs, now }),
    close: async () => {},
  }
}
