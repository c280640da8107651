import { createHmac, randomUUID } from "node:crypto"
import type { RealtimeError, RealtimeErrorCode, TransportStatus } from "throughline"
import { createHttp } from "throughline/client"
import { createMemoryLog, createRealtime, type RealtimePublisher } from "throughline/server"
import { chatChannels, lab } from "../chat/channels.ts"
import { ownUrl } from "../env/local-addresses.ts"
import type { Env, ProviderName } from "../env/schema.ts"
import { providers } from "../realtime/client.ts"
import { besideApp, createPublishers } from "../realtime/publishers.ts"
import { clockFinding, type Finding, wordsOf } from "./finding.ts"

/** How long anything that is asked may take. */
export const patienceMs = 10_000

/** Connects, publishes and receives as a page and a server do, then looks at what is particular to the provider. */
export async function examineProvider(provider: ProviderName, env: Env): Promise<Finding[]> {
  const subject = names[provider]
  const local = ownUrl(env)
  const isBundled = provider === "socketio" && !env.SOCKET_URL
  if (isBundled && !(await isRunning(local)))
    return [
      {
        ...{ subject, verdict: "skipped", detail: `the app isn't running at ${local}` },
        advice: "Start it (npm run dev, or npm start), then run this beside it.",
      },
    ]
  let publisher: RealtimePublisher | undefined
  try {
    ;[publisher] = await createPublishers({ ...besideApp(env), REALTIME_PROVIDER: [provider] })
    if (!publisher) throw new Error("there is no such provider")
    const findings = await tryRoundTrip(provider, publisher, isBundled ? local : env.SOCKET_URL)
    if (findings.some(({ verdict }) => verdict === "failed")) return findings
    return [...findings, ...(await particulars[provider](env, publisher))]
  } catch (error) {
    return [
      {
        subject,
        verdict: "failed",
        detail: wordsOf(error),
        advice: adviceOn(provider, (error as RealtimeError).code),
      },
    ]
  } finally {
    await publisher?.close()
  }
}

export const names: Record<ProviderName, string> = { socketio: "Gateway", pusher: "Pusher", ably: "Ably" }

const isRunning = (url: string) =>
  fetch(`${url}/api/health`, { signal: AbortSignal.timeout(3_000) }).then(
    () => true,
    () => false,
  )

/** A laboratory of the doctor's own: a channel that every deployment declares and nobody else is in. */
async function tryRoundTrip(
  provider: ProviderName,
  publisher: RealtimePublisher,
  gatewayUrl: string | undefined,
): Promise<Finding[]> {
  const subject = names[provider]
  const user = { id: `doctor-${randomUUID()}` }
  const channel = chatChannels.lab({ owner: user.id, visit: randomUUID() })
  const realtime = createRealtime({
    channels: chatChannels,
    identify: () => user,
    authorize: () => true,
    log: createMemoryLog(),
    publishers: [publisher],
    onError() {},
  })
  const http = createHttp({
    basePath: "http://doctor.test/api/realtime",
    fetch: (input, init) => realtime.handlers.POST(new Request(input, init)),
  })
  const create = await providers[provider]?.()
  if (!create) throw new Error("there is no transport for it")
  const transport = create({
    config: { ...publisher.clientConfig(), ...(gatewayUrl && { url: gatewayUrl }) },
    credentials: (body) => http.credentials(provider, body),
    onError() {},
  })
  const began = performance.now()
  const attached = Promise.withResolvers<void>()
  const received = Promise.withResolvers<void>()
  transport.onStatus(({ state, error }: TransportStatus) => {
    // A page tries again with a newer credential; this one is as new as can be.
    if (state === "failed" || error?.code === "unauthorized") attached.reject(error)
  })
  transport.subscribe(channel.name, {
    cursor: () => null,
    onAttached: () => attached.resolve(),
    onDetached() {},
    onDenied: (error) => attached.reject(error),
    onMessages: () => received.resolve(),
    onSignal() {},
    onPresence() {},
  })
  transport.connect()
  try {
    await inTime(attached.promise, () => transport.status.error)
    const connectedMs = Math.round(performance.now() - began)
    const published = performance.now()
    const [message] = await publishOne()
    await publisher.publish(message ? [message] : [])
    await inTime(received.promise, () => undefined)
    const deliveredMs = Math.round(performance.now() - published)
    return [
      { subject, verdict: "ok", detail: `connected and joined in ${connectedMs} ms` },
      { subject, verdict: "ok", detail: `published and received in ${deliveredMs} ms` },
    ]
  } catch (error) {
    const advice = adviceOn(provider, (error as RealtimeError).code)
    return [{ subject, verdict: "failed", detail: wordsOf(error), advice }]
  } finally {
    received.promise.catch(() => {})
    await transport.close()
    await realtime.core.idle()
  }

  /** A logged message that the app's own log needn't keep. */
  async function publishOne() {
    const log = createMemoryLog()
    const id = randomUUID()
    const entry = { id, channel: channel.name, event: "numbered", payload: { side: "left" }, from: user }
    const [result] = await log.append([entry])
    return result ? [{ ...entry, seq: result.seq, epoch: result.epoch, at: result.at }] : []
  }
}

/** Rejects with the reason, where one is known, when it takes too long. */
export async function inTime(work: Promise<void>, why: () => RealtimeError | undefined): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(why() ?? new Error(`nothing happened within ${patienceMs / 1000} s`))
  }, patienceMs)
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}

export function adviceOn(provider: ProviderName, code: RealtimeErrorCode | undefined): string {
  if (provider === "socketio")
    return code === "unauthorized"
      ? "The gateway has another SOCKET_INTERNAL_SECRET (or SESSION_SECRET): give both processes the same."
      : "Is the gateway running at SOCKET_URL, and does SOCKET_INTERNAL_URL lead there from this machine?"
  const keys =
    provider === "pusher" ? "PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET and PUSHER_CLUSTER" : "ABLY_API_KEY"
  return code === "provider-unavailable" || code === "timeout"
    ? `Does this machine reach ${names[provider]}? Its status page says how it is.`
    : `Compare ${keys} with the app's page in ${names[provider]}'s dashboard.`
}

/** Whether our own verifier takes what the provider's webhooks look like, and refuses what was signed by somebody else. */
async function examineWebhooks(
  subject: string,
  publisher: RealtimePublisher,
  rawBody: string,
  headersOf: (secret: "right" | "wrong") => Record<string, string>,
): Promise<Finding> {
  const take = (secret: "right" | "wrong") =>
    publisher.webhook?.({ headers: new Headers(headersOf(secret)), rawBody, now: Date.now() }).then(
      () => true,
      () => false,
    )
  const isRight = (await take("right")) === true && (await take("wrong")) === false
  return isRight
    ? { subject, verdict: "ok", detail: "webhooks: what is signed with this secret is taken, nothing else" }
    : {
        ...{ subject, verdict: "failed", detail: "webhooks can't be verified with this secret" },
        advice: "Copy the secret again, without spaces or quotes around it.",
      }
}

const particulars: Record<ProviderName, (env: Env, publisher: RealtimePublisher) => Promise<Finding[]>> = {
  async socketio(env) {
    const url = env.SOCKET_INTERNAL_URL ?? env.SOCKET_URL ?? ownUrl(env)
    const response = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(patienceMs) })
    const date = Date.parse(response.headers.get("date") ?? "")
    // Whole seconds, of a moment ago.
    return Number.isNaN(date) ? [] : [clockFinding(names.socketio, date + 500 - Date.now(), 60_000)]
  },

  async pusher(env, publisher) {
    const subject = names.pusher
    const {
      PUSHER_KEY: key = "",
      PUSHER_SECRET: secret = "",
      PUSHER_HOST: host,
      PUSHER_CLUSTER: cluster,
    } = env
    const scheme = env.PUSHER_TLS === false ? "http" : "https"
    const api = host
      ? `${scheme}://${host}${env.PUSHER_PORT ? `:${env.PUSHER_PORT}` : ""}`
      : `https://api-${cluster}.pusher.com`
    const response = await fetch(`${api}/apps/${env.PUSHER_APP_ID}/channels`, {
      signal: AbortSignal.timeout(patienceMs),
    })
    const date = Date.parse(response.headers.get("date") ?? "")
    const rawBody = JSON.stringify({ time_ms: Date.now(), events: [] })
    const sign = (by: string) => createHmac("sha256", by).update(rawBody).digest("hex")
    return [
      // Pusher refuses requests that are more than 600 s off: https://pusher.com/docs/channels/library_auth_reference/rest-api/
      ...(Number.isNaN(date) ? [] : [clockFinding(subject, date + 500 - Date.now(), 600_000)]),
      await examineClientEvents(env),
      await examineWebhooks(subject, publisher, rawBody, (which) => ({
        "x-pusher-key": key,
        "x-pusher-signature": sign(which === "right" ? secret : "somebody else's"),
      })),
    ]
  },

  async ably(env, publisher) {
    const subject = names.ably
    const { ABLY_API_KEY: apiKey = "", ABLY_ENDPOINT: endpoint, ABLY_PORT: port, ABLY_TLS: tls } = env
    const { Rest } = await import("ably")
    const rest = new Rest({
      ...{ key: apiKey, logLevel: 0 },
      ...(endpoint !== undefined && { endpoint }),
      ...(port !== undefined && { port, tlsPort: port }),
      ...(tls !== undefined && { tls }),
    })
    const [keyName = "", secret = ""] = apiKey.split(/:(.*)/s)
    const rawBody = JSON.stringify({ items: [{ timestamp: Date.now() }] })
    const sign = (by: string) => createHmac("sha256", by).update(rawBody).digest("base64")
    const isRevocable = await publisher
      .revoke(`doctor-${randomUUID()}`, lab({ owner: "doctor", visit: randomUUID() }).name)
      .then(
        () => true,
        () => false,
      )
    return [
      clockFinding(subject, (await rest.time()) - Date.now(), 60_000),
      await examineCapability(rest),
      isRevocable
        ? { subject, verdict: "ok", detail: "tokens can be revoked at once" }
        : {
            ...{ subject, verdict: "warning", detail: "tokens can't be revoked before they expire" },
            advice:
              "Switch on revocable tokens for this key; until then who leaves a room hears on for up to 75 s.",
          },
      await examineWebhooks(subject, publisher, rawBody, (which) => ({
        "x-ably-key": keyName,
        "x-ably-signature": sign(which === "right" ? secret : "somebody else's"),
      })),
    ]
  },
}

/** Neither needed nor harmful: signals go by our server, and nobody listens to what browsers say to each other. */
async function examineClientEvents(env: Env): Promise<Finding> {
  const subject = names.pusher
  const { default: Pusher } = await import("pusher-js")
  const {
    PUSHER_HOST: host,
    PUSHER_PORT: port,
    PUSHER_TLS: tls = true,
    PUSHER_CLUSTER: cluster = "mt1",
  } = env
  const client = new Pusher(env.PUSHER_KEY ?? "", {
    ...{ cluster, forceTLS: tls, enabledTransports: tls ? ["ws", "wss"] : ["ws"] },
    ...(host && { wsHost: host, ...(port !== undefined && { wsPort: port, wssPort: port }) }),
    channelAuthorization: {
      transport: "ajax",
      endpoint: "",
      // https://pusher.com/docs/channels/library_auth_reference/auth-signatures/
      customHandler({ socketId, channelName }, callback) {
        const signature = createHmac("sha256", env.PUSHER_SECRET ?? "")
          .update(`${socketId}:${channelName}`)
          .digest("hex")
        callback(null, { auth: `${env.PUSHER_KEY}:${signature}` })
      },
    },
  })
  const answer = Promise.withResolvers<"on" | "off" | "unknown">()
  // Pusher says nothing to what it accepts: https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/
  client.connection.bind("error", ({ data }: { data?: { code?: number } }) => {
    if (data?.code === 4301) answer.resolve("off")
  })
  const channel = client.subscribe(`private-doctor-${randomUUID()}`)
  channel.bind("pusher:subscription_error", () => answer.resolve("unknown"))
  channel.bind("pusher:subscription_succeeded", () => {
    channel.trigger("client-doctor", {})
    setTimeout(() => answer.resolve("on"), 1_000)
  })
  setTimeout(() => answer.resolve("unknown"), patienceMs).unref()
  const state = await answer.promise
  client.disconnect()
  return { subject, verdict: "ok", detail: `client events are ${state}; the app doesn't need them` }
}

const needed = ["publish", "subscribe", "presence"] as const

async function examineCapability(rest: InstanceType<typeof import("ably").Rest>): Promise<Finding> {
  const subject = names.ably
  const { capability } = await rest.auth.requestToken({ capability: { "*": ["*"] } as never })
  const granted = JSON.parse(String(capability)) as Record<string, string[]>
  const everywhere = granted["*"] ?? granted["[*]*"] ?? []
  const lacking = needed.filter((operation) => !everywhere.includes(operation) && !everywhere.includes("*"))
  if (lacking.length === 0) return { subject, verdict: "ok", detail: "the key may do what it has to" }
  return {
    ...{ subject, verdict: "failed", detail: `the key may not ${lacking.join(", ")} on all channels` },
    advice:
      "Give the key publish, subscribe and presence on all channels, in Ably's dashboard under API keys.",
  }
}
