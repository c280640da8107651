import { type ChannelDefinitions, maxChannelNameLength } from "../channel.ts"
import { type OnError, RealtimeError, toWireError, type WireError } from "../errors.ts"
import { reportFailure } from "../guard.ts"
import { isDevelopment } from "../is-development.ts"
import { isPosition, type LogPage, type PresenceSnapshot, parseSignalOrigin, type User } from "../message.ts"
import { toWireResult } from "../publish-result.ts"
import { configHeader } from "../publisher.ts"
import { maxWatchedKeys, parseWatchedKeys } from "../state.ts"
import type { OutgoingMessage } from "../transport.ts"
import { requireWireVersion, wireHeader } from "../wire-version.ts"
import type { Core } from "./core.ts"
import type { Counts } from "./counts.ts"
import { createGatewayHint } from "./gateway-hint.ts"
import { readJsonBody, statusOf } from "./http.ts"
import { requireSession } from "./session.ts"
import { toWireSnapshot } from "./snapshots.ts"
import type { ClientConfig, HistoryOptions, RealtimeOptions } from "./types.ts"

interface HandlerOptions<Definitions extends ChannelDefinitions> extends RealtimeOptions<Definitions> {
  core: Core
  counts: Counts
  clientConfig(): ClientConfig
  readPage(channel: string, options: HistoryOptions): Promise<LogPage>
  /** Of all providers together. */
  members(channel: string): Promise<PresenceSnapshot>
  onError: OnError
}

type Handler = (request: Request) => Promise<Response>
interface Call {
  url: URL
  request: Request
  /** What follows the endpoint in the path, as in `credentials/ably`. */
  rest: string
}
type Route = (call: Call) => Promise<unknown>
type UserRoute = (call: Call & { user: User }) => Promise<unknown>

/** The most channels that one request may ask about. */
const maxChannels = 100

/** The catch-all route: the last segments of the path say what is asked, wherever it is mounted. */
export function createHandlers<Definitions extends ChannelDefinitions>(
  options: HandlerOptions<Definitions>,
): { GET: Handler; POST: Handler } {
  const { core, counts, clientConfig, identify, publishers, log, readPage, members, onError } = options
  const hint = isDevelopment() ? createGatewayHint() : null

  /**
   * Of the channels that a request names, those that the user may read; one that they may not, that is
   * malformed, or at which the application fails, is refused by itself.
   */
  async function readable(user: User, url: URL): Promise<{ allowed: string[]; denied: object }> {
    const channels = url.searchParams.getAll("channel")
    if (channels.length > maxChannels)
      throw badRequest(`unable to ask about more than ${maxChannels} channels at once`)
    const denied = new Map<string, WireError>()
    const ask = async (channel: string) => {
      try {
        await core.authorize(user, channelOf(channel), "subscribe")
      } catch (error) {
        reportFailure(onError, error, { stage: "authorize a request about channels" })
        denied.set(channel, toWireError(error))
      }
    }
    await Promise.all(channels.map(ask))
    const allowed = channels.filter((channel) => !denied.has(channel))
    return { allowed, denied: Object.fromEntries(denied) }
  }

  const get: Record<string, UserRoute> = {
    async history({ user, url }) {
      const channel = channelOf(url.searchParams.get("channel"))
      await core.authorize(user, channel, "subscribe")
      return readPage(channel, {
        ...wholeNumber(url, "after"),
        ...wholeNumber(url, "before"),
        ...wholeNumber(url, "limit"),
      })
    },
    async head({ user, url }) {
      const { allowed, denied } = await readable(user, url)
      const heads = await log.heads(allowed)
      return { heads: Object.fromEntries(allowed.map((channel, index) => [channel, heads[index]])), denied }
    },
    config: async () => clientConfig(),
    async counts({ user, url }) {
      const { allowed, denied } = await readable(user, url)
      const found = await counts.of(allowed)
      return { counts: Object.fromEntries(allowed.map((channel, index) => [channel, found[index]])), denied }
    },
    async members({ user, url }) {
      const channel = channelOf(url.searchParams.get("channel"))
      await core.authorize(user, channel, "subscribe")
      return members(channel)
    },
  }

  const post: Record<string, UserRoute> = {
    async publish({ user, request }) {
      const { channel, messages } = (await readJsonBody(request)) as { channel?: unknown; messages?: unknown }
      const results = await core.accept(user, channelOf(channel), parseOutgoing(messages))
      return { results: results.map(toWireResult) }
    },
    async signal({ user, request }) {
      const { channel, event, payload, origin } = await readJsonBody(request)
      const signal = await core.acceptSignal(
        user,
        channelOf(channel),
        typeof event === "string" ? event : "",
        payload,
        parseSignalOrigin(origin),
      )
      // Waited for, both: a function may stand still once it has answered.
      await Promise.all([core.deliverSignal(signal), core.hearSignal(signal)])
      return {}
    },
    async state({ user, request }) {
      const { channel, keys } = await readJsonBody(request)
      const name = channelOf(channel)
      await core.authorize(user, name, "subscribe")
      return core.readState(name, keysOf(keys))
    },
    async snapshot({ user, request }) {
      const { channel, before } = await readJsonBody(request)
      const name = channelOf(channel)
      if (before !== undefined && !isPosition(before))
        throw badRequest(`unable to answer; "before" is malformed`)
      await core.authorize(user, name, "subscribe")
      return toWireSnapshot(await core.snapshots.read(name, before))
    },
    async credentials({ user, request, rest }) {
      const publisher = publisherOf(rest)
      hint?.(publisher)
      return publisher.credentials({
        user,
        body: await readJsonBody(request),
        async authorize(channel, action) {
          try {
            await core.authorize(user, channel, action)
          } catch (error) {
            // Of several channels one may fail, which fails nobody's request.
            reportFailure(onError, error, { stage: `authorize ${action}` })
            throw error
          }
        },
        acceptPresence: (channel, data) => core.acceptPresence(user, channel, data),
      })
    },
  }

  const limitsItself: ReadonlySet<UserRoute | undefined> = new Set([post.publish, post.signal])

  function publisherOf(provider: string | undefined) {
    const publisher = publishers.find((candidate) => candidate.provider === provider)
    if (publisher) return publisher
    throw new RealtimeError("unsupported", {
      message: "unable to reach the provider; it is not configured here",
    })
  }

  /** The provider's own request: nobody is signed in, its signature is what counts. */
  async function webhooks({ request, rest }: Call): Promise<unknown> {
    const publisher = publisherOf(rest)
    await core.limitWebhook()
    await counts.takeWebhook(publisher, request)
    return {}
  }

  function forUsers(routes: Record<string, UserRoute>): Record<string, Route> {
    const signedIn =
      (route: UserRoute): Route =>
      async (call) => {
        requireWireVersion(call.request.headers.get(wireHeader))
        const user = await requireSession(call.request, identify)
        if (!limitsItself.has(route)) await core.limitRead(user)
        return route({ ...call, user })
      }
    return Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, signedIn(route)]))
  }

  function handler(routes: Record<string, Route>): Handler {
    return async (request) => {
      try {
        const url = new URL(request.url)
        const segments = url.pathname.split("/").filter(Boolean)
        const index = segments.findLastIndex((segment) => Object.hasOwn(routes, segment))
        const route = routes[segments[index] ?? ""]
        if (!route || index < segments.length - 2)
          throw badRequest("unable to answer; there is no such endpoint")
        return respond(clientConfig(), 200, await route({ url, request, rest: segments[index + 1] ?? "" }))
      } catch (error) {
        reportFailure(onError, error, { stage: `answer ${request.method} ${new URL(request.url).pathname}` })
        return respond(clientConfig(), statusOf(error), {
          error: toWireError(error),
        })
      }
    }
  }

  return { GET: handler(forUsers(get)), POST: handler({ ...forUsers(post), webhooks }) }
}

/**
 * Nothing here may be kept by a cache: pages of the log depend on who asks, credentials are for one moment.
 */
function respond({ version }: ClientConfig, status: number, body: unknown): Response {
  return Response.json(body, { status, headers: { "Cache-Control": "no-store", [configHeader]: version } })
}

const badRequest = (message: string) => new RealtimeError("invalid-request", { message })

function channelOf(value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= maxChannelNameLength) return value
  throw badRequest("unable to answer; the channel's name is missing or malformed")
}

function keysOf(value: unknown): string[] {
  const keys = parseWatchedKeys(value)
  if (keys) return keys
  throw badRequest(`unable to answer; at most ${maxWatchedKeys} keys can be asked for, each a text`)
}

function wholeNumber<Name extends string>(url: URL, name: Name): { [K in Name]?: number } {
  const text = url.searchParams.get(name)
  if (text === null) return {}
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw badRequest(`unable to answer; "${name}" is malformed`)
  return { [name]: value } as { [K in Name]?: number }
}

/** The messages of a publish, as far as their frame goes; each one's content is judged by itself later. */
export function parseOutgoing(value: unknown): OutgoingMessage[] {
  const isMessage = (item: unknown): item is OutgoingMessage => typeof item === "object" && item !== null
  if (!Array.isArray(value) || !value.every(isMessage))
    throw badRequest("unable to publish; there are no messages")
  return value.map(({ id, event, payload, traceparent }) => ({ id, event, payload, traceparent }))
}
