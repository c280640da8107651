import { fromWireError, isPageOver, RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import { type LogHead, type LogPage, parseLogHead, parseLogPage, type SignalOrigin } from "../message.ts"
import { ownerHeaders } from "../owner.ts"
import { fromWireResults } from "../publish-result.ts"
import { configHeader } from "../publisher.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { wireHeaders } from "../wire-version.ts"
import { requestWithin } from "./request-within.ts"

/** Browser: the catch-all route, as functions. Every failure is a `RealtimeError`. */
export interface RealtimeHttp {
  /**
   * A page of a channel's log: the messages after `after` or before `before`, by `seq`, else the newest ones;
   * at most `limit`, which is 50 by default and at most 500.
   */
  history(channel: string, options: { after?: number; before?: number; limit?: number }): Promise<LogPage>
  /** Each channel's head, or why this user doesn't get it. */
  heads(channels: readonly string[]): Promise<Map<string, LogHead | RealtimeError>>
  /**
   * How many people are in each channel, in the order of `channels`; null where the server can't tell, or
   * this user may not know. At most 100 channels.
   */
  counts(channels: readonly string[]): Promise<(number | null)[]>
  /**
   * Sends messages of one channel in order, and resolves with one result for each. Repeating it with the same
   * ids is safe.
   */
  publish(channel: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]>
  /**
   * Sends a signal by way of the server. Rejects when it was refused, as with `channel-denied`,
   * `invalid-payload` and `rate-limited`.
   */
  signal(channel: string, event: string, payload: unknown, origin: SignalOrigin): Promise<void>
  /** What the server answers to this, as it came. */
  post(path: string, body: unknown): Promise<Record<string, unknown>>
  /** The server's configuration as it is now. */
  config(): Promise<Record<string, unknown>>
  /**
   * Looks whether the session is still the owner's; `onPageOver` is told when it isn't. Never rejects.
   */
  checkSession(): Promise<void>
  /** What a provider's server half answers to a request for permission. */
  credentials(provider: string, body: Record<string, unknown>): Promise<unknown>
  /**
   * The server's clock, in milliseconds since 1970, right to about a second, as its last answer told it; null
   * before the first. It doesn't follow this device's clock when that is set.
   */
  serverNow(): number | null
}

export interface HttpOptions {
  /** Where the catch-all route is mounted. */
  basePath: string
  /** In place of the page's `fetch`. */
  fetch?: typeof globalThis.fetch
  /** How long one request may take, its body included. Default 10 s. */
  timeoutMs?: number
  /**
   * Whose page it is, by the id that the server's `identify` returns: every request says so, and
   * the server answers nobody else's.
   */
  owner?: string | undefined
  /**
   * Called when the server says that the page's time is over: with `session-changed`, where somebody else is
   * signed in by now, or nobody; with `page-outdated`, where it no longer understands the page.
   */
  onPageOver?: (error: RealtimeError) => void
  /** Called with the version of the server's configuration that an answer names. */
  onConfigVersion?: (version: string) => void
}

/**
 * What stands before the application may refuse as well: a proxy, a firewall, the host. Whom
 * our server lets in they don't know.
 */
const codeByStatus: Record<number, RealtimeErrorCode> = {
  408: "timeout",
  413: "message-too-large",
  429: "rate-limited",
}

/**
 * `Retry-After` in milliseconds, where it is a sensible number of seconds; a date
 * would depend on this device's clock.
 */
function millisecondsOf(header: string | null): number | undefined {
  return header !== null && /^[1-9]\d{0,2}$/.test(header) ? Number(header) * 1000 : undefined
}

/**
 * Browser: the way to the catch-all route. Rejects with what the server said, with `not-connected` where the
 * network failed, with `provider-unavailable` for an answer that isn't the route's, and with `timeout`.
 */
export function createHttp({
  basePath,
  fetch = globalThis.fetch,
  timeoutMs = 10_000,
  owner,
  onPageOver,
  onConfigVersion,
}: HttpOptions): RealtimeHttp {
  /** Between the server's clock and this page's time. */
  let offset: number | null = null

  async function call(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Record<string, unknown>> {
    const doing = `reach ${basePath}/${path.split("?")[0]}`
    async function ask(signal: AbortSignal) {
      const response = await fetch(`${basePath}/${path}`, {
        ...init,
        signal,
        headers: { ...init.headers, ...wireHeaders, ...(owner !== undefined && ownerHeaders(owner)) },
        credentials: "same-origin",
        cache: "no-store",
      })
      return { response, body: (await response.json().catch(() => null)) as unknown }
    }
    const { response, body } = await requestWithin(timeoutMs, doing, ask)
    const version = response.headers.get(configHeader)
    if (version) onConfigVersion?.(version)
    const date = Date.parse(response.headers.get("Date") ?? "")
    // The header has whole seconds.
    if (!Number.isNaN(date)) offset = date + 500 - performance.now()
    const answer = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : null
    if (response.ok && answer) return answer
    if (answer?.error) {
      const error = fromWireError(answer.error)
      if (isPageOver(error)) onPageOver?.(error)
      if (error.code !== "internal") throw error
      throw new RealtimeError("internal", { message: `unable to ${doing}; the server failed` })
    }
    // Not one of ours: a proxy's page, a crash. It may pass, but for what is too large on its way.
    throw new RealtimeError(codeByStatus[response.status] ?? "provider-unavailable", {
      message: `unable to ${doing}; it answered ${response.status} without a reason`,
      retryAfterMs: millisecondsOf(response.headers.get("Retry-After")),
    })
  }

  const queryOf = (channels: readonly string[]) =>
    new URLSearchParams(channels.map((name) => ["channel", name]))

  const post = (path: string, body: unknown) =>
    call(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    })

  return {
    async history(channel, options) {
      const query = new URLSearchParams({ channel })
      for (const [name, value] of Object.entries(options))
        if (value !== undefined) query.set(name, String(value))
      return parseLogPage(await call(`history?${query}`))
    },
    async heads(channels) {
      const { heads, denied } = await call(`head?${queryOf(channels)}`)
      const found = new Map<string, LogHead | RealtimeError>()
      for (const [channel, value] of Object.entries((heads ?? {}) as Record<string, unknown>)) {
        const head = parseLogHead(value)
        if (head) found.set(channel, head)
      }
      for (const [channel, error] of Object.entries((denied ?? {}) as Record<string, unknown>))
        found.set(channel, fromWireError(error))
      return found
    },
    async counts(channels) {
      const { counts } = await call(`counts?${queryOf(channels)}`)
      const found = (counts ?? {}) as Record<string, unknown>
      return channels.map((name) => (typeof found[name] === "number" ? found[name] : null))
    },
    async publish(channel, messages) {
      const { results } = await post("publish", { channel, messages })
      return fromWireResults(results, messages)
    },
    async signal(channel, event, payload, origin) {
      await post("signal", { channel, event, payload, origin })
    },
    post,
    config: () => call("config"),
    async checkSession() {
      // Without an answer nothing is known; every later request asks the same.
      if (owner !== undefined) await call("config").catch(() => {})
    },
    credentials: (provider, body) => post(`credentials/${provider}`, body),
    serverNow: () => (offset === null ? null : offset + performance.now()),
  }
}
