import { fromWireError, isRealtimeError, RealtimeError } from "../../errors.ts"
import { jsonByteLength, type Member, type PresenceSnapshot, parseUser } from "../../message.ts"
import { firstWithin, packPatches } from "../../packing.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import { requireVariables } from "../../required.ts"
import { maxStateRate } from "../../state.ts"
import { provider } from "./mapping.ts"
import { createTickets } from "./tickets.ts"

/** What `createSocketIoPublisher` takes. */
export interface SocketIoPublisherOptions {
  /** Where this process reaches the gateway, as in `http://127.0.0.1:3001`. */
  internalUrl: string
  /** Where browsers reach it; absent: on the page's own origin. */
  publicUrl?: string | undefined
  /** Shared with the gateway. */
  secret: string
  /**
   * More headers of each request to the gateway, asked for each time: as one
   * by which its log knows who asked.
   */
  headers?(): Record<string, string>
  /** In place of the global `fetch`. */
  fetch?: typeof globalThis.fetch
  /** How long one request to the gateway may take. Default 5 s. */
  timeoutMs?: number
}

/** Where the gateway takes requests of the app's own servers. */
export const internalPath = "/_realtime"

/**
 * The gateway takes 16 MiB at once; a proxy on the way may take less, and one of them is answered in time.
 */
const maxRequestBytes = 4 * 1024 * 1024

/** Server: reaches the gateway from another process or bundle, by its authenticated internal endpoint. */
export function createSocketIoPublisher(options: SocketIoPublisherOptions): RealtimePublisher {
  const { internalUrl, publicUrl, secret, headers, fetch = globalThis.fetch, timeoutMs = 5_000 } = options
  requireVariables(provider, { SOCKET_INTERNAL_URL: internalUrl })
  const tickets = createTickets({ secret })

  async function call(operation: string, body: unknown): Promise<unknown> {
    try {
      const response = await fetch(new URL(`${internalPath}/${operation}`, internalUrl), {
        method: "POST",
        headers: { ...headers?.(), Authorization: `Bearer ${secret}`, "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      })
      const answer = (await response.json()) as { error?: unknown }
      if (!response.ok) throw fromWireError(answer.error, provider)
      return answer
    } catch (error) {
      if (isRealtimeError(error)) throw error
      const message = `unable to reach the gateway at ${internalUrl}; is it running?`
      throw new RealtimeError("provider-unavailable", { provider, message, cause: networkCodeOf(error) })
    }
  }

  return {
    provider,
    async publish(messages) {
      for (let left = messages; left.length > 0; ) {
        const part = firstWithin(left, maxRequestBytes, jsonByteLength)
        await call("publish", { messages: part })
        left = left.slice(part.length)
      }
    },
    async signal(signal) {
      await call("signal", { signal })
    },
    state: {
      intervalMs: 1_000 / maxStateRate,
      async publish(patches) {
        for (const part of packPatches(patches, maxRequestBytes)) await call("state", { patches: part })
      },
    },
    async revoke(userId, channel) {
      await call("revoke", { userId, channel })
    },
    async members(channel) {
      return fromSnapshot(await call("members", { channel }))
    },
    async counts(channels) {
      const { counts } = (await call("counts", { channels })) as { counts?: unknown }
      const isReadable = Array.isArray(counts) && counts.length === channels.length
      if (isReadable && counts.every((count) => Number.isSafeInteger(count))) return counts
      throw malformedAnswer("count the members")
    },
    clientConfig: () => ({ provider, ...(publicUrl && { url: publicUrl }) }),
    credentials: async ({ user }) => ({ ticket: tickets.issue(user) }),
    close: async () => {},
  }
}

/** As in ECONNREFUSED. The whole error may repeat the request's headers, and in them the secret. */
function networkCodeOf(error: unknown): unknown {
  return (error as { cause?: { code?: unknown } } | null)?.cause?.code
}

const malformedAnswer = (doing: string) =>
  new RealtimeError("internal", { provider, message: `unable to ${doing}; the answer is malformed` })

function fromSnapshot(value: unknown): PresenceSnapshot {
  const { count, members } = (value ?? {}) as { count?: unknown; members?: unknown }
  if (!Number.isSafeInteger(count)) {
    throw malformedAnswer("read the members")
  }
  const readable = Array.isArray(members)
    ? members.flatMap((member: { user?: unknown; data?: unknown }): Member[] => {
        const user = parseUser(member?.user)
        return user ? [{ user, data: member.data }] : []
      })
    : null
  return { count: count as number, members: readable }
}
