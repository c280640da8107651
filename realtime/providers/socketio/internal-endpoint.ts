import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { isRealtimeError, type OnError, RealtimeError, toWireError } from "../../errors.ts"
import { createReporter, reportFailure } from "../../guard.ts"
import { parseSignal, parseWireMessages } from "../../message.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import { readWithin } from "../../read-within.ts"
import { parseStatePatches } from "../../state.ts"
import { provider } from "./mapping.ts"
import { internalPath } from "./server.ts"

export interface InternalEndpointOptions {
  /** The gateway's own, which gets what other processes publish. */
  publisher: RealtimePublisher
  /** Shared with those processes; who doesn't send it is refused. */
  secret: string
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

const maxBodyBytes = 16 * 1024 * 1024

/**
 * Server: lets the app's own servers publish through this gateway. Answers what is addressed to it and
 * returns true; anything else is left alone.
 */
export function createInternalEndpoint(options: InternalEndpointOptions) {
  const { publisher, secret } = options
  const onError = createReporter(options.onError)

  const operations: Record<string, (body: Record<string, unknown>) => Promise<unknown>> = {
    async publish({ messages }) {
      const readable = parseWireMessages(messages)
      if (!Array.isArray(messages) || readable.length !== messages.length) throw malformed()
      await publisher.publish(readable)
      return {}
    },
    async signal({ signal }) {
      const readable = parseSignal(signal)
      if (!readable) throw malformed()
      await publisher.signal(readable)
      return {}
    },
    async state({ patches }) {
      const readable = parseStatePatches(patches)
      if (!Array.isArray(patches) || readable.length !== patches.length) throw malformed()
      await publisher.state?.publish(readable)
      return {}
    },
    async counts({ channels }) {
      const isReadable = Array.isArray(channels) && channels.every((channel) => typeof channel === "string")
      if (!isReadable) throw malformed()
      return { counts: await publisher.counts?.(channels) }
    },
    async revoke({ userId, channel }) {
      if (typeof userId !== "string" || (channel !== undefined && typeof channel !== "string"))
        throw malformed()
      await publisher.revoke(userId, channel)
      return {}
    },
    members: ({ channel }) => publisher.members(typeof channel === "string" ? channel : ""),
  }

  async function answer(request: IncomingMessage, operation: string): Promise<unknown> {
    if (!isSecret(request.headers.authorization, `Bearer ${secret}`)) {
      throw new RealtimeError("unauthorized", {
        provider,
        message: "unable to answer; the secret is not this gateway's",
      })
    }
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined
    if (!run || request.method !== "POST") throw malformed()
    return run(await readJson(request))
  }

  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const pathname = request.url?.split("?")[0] ?? "/"
    if (!pathname.startsWith(`${internalPath}/`)) return false
    const respond = (status: number, body: unknown) => {
      response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
      response.end(JSON.stringify(body))
    }
    answer(request, pathname.slice(internalPath.length + 1)).then(
      (body) => respond(200, body),
      (error: unknown) => {
        reportFailure(onError, error, { stage: "answer the app's server" })
        respond(statusOf(error), { error: toWireError(error) })
      },
    )
    return true
  }
}

function statusOf(error: unknown): number {
  if (!isRealtimeError(error)) return 500
  if (error.code === "unauthorized") return 401
  return error.code === "message-too-large" ? 413 : 400
}

/** Compares in a time that tells nothing about where the two differ. */
function isSecret(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(given ?? ""), digest(expected))
}

const malformed = () =>
  new RealtimeError("invalid-request", { provider, message: "unable to answer; the request is malformed" })

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = await readWithin(request, maxBodyBytes)
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === "object" && body !== null) return body as Record<string, unknown>
  } catch {
    throw malformed()
  }
  throw malformed()
}
