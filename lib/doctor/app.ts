import { randomUUID } from "node:crypto"
import { sealData } from "iron-session"
import { isRealtimeError } from "throughline"
import { createClient, createHttp, type RealtimeClient, type RealtimeHttp } from "throughline/client"
import { chatChannels } from "../chat/channels.ts"
import { hostSessionCookie, sessionCookie } from "../chat/session.ts"
import { type Env, type ProviderName, providerNames } from "../env/schema.ts"
import { providers } from "../realtime/client.ts"
import { clockFinding, type Finding, wordsOf } from "./finding.ts"
import { adviceOn, inTime, names, patienceMs } from "./provider.ts"

const subject = "App"

/** Whether an app runs there: it knows its route and not who asks, where a gateway by itself has no such route. */
export const isApp = (url: string): Promise<boolean> =>
  fetch(`${url}/api/realtime/config`, { signal: AbortSignal.timeout(3_000) }).then(
    ({ status }) => status === 401,
    () => false,
  )

/**
 * The app that runs there, as a page of somebody who is signed in uses it: by its routes, over each of its providers, into its log.
 * What is written stays in a laboratory of the doctor's own, until retention takes it.
 */
export async function examineApp(url: string, env: Env): Promise<Finding[]> {
  const user = { id: `doctor-${randomUUID()}`, name: "Doctor" }
  const sealed = await sealData({ user }, { password: env.SESSION_SECRET })
  // Under either name: whether the app is reached by TLS is its own environment's to say.
  const cookie = [hostSessionCookie, sessionCookie].map((name) => `${name}=${sealed}`).join("; ")
  const http = createHttp({
    basePath: `${url}/api/realtime`,
    timeoutMs: patienceMs,
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, cookie } }),
  })
  const findings = await examineReadiness(url)
  if (findings.some(({ verdict }) => verdict === "failed")) return findings
  let config: Record<string, unknown>
  try {
    config = await http.config()
  } catch (error) {
    const isUnknown = isRealtimeError(error) && error.code === "unauthorized"
    const advice = isUnknown
      ? "The app there has another SESSION_SECRET, or a sign-in of its own: run this with its variables."
      : "Its log says why."
    return [...findings, { subject, verdict: "failed", detail: wordsOf(error), advice }]
  }
  const offered = Array.isArray(config.providers) ? (config.providers as { provider?: unknown }[]) : []
  for (const entry of offered) {
    const provider = providerNames.find((name) => name === entry.provider)
    if (provider) findings.push(await tryPage(provider, { url, user, http, entry }))
  }
  return findings
}

async function examineReadiness(url: string): Promise<Finding[]> {
  try {
    const response = await fetch(`${url}/api/ready`, { signal: AbortSignal.timeout(patienceMs) })
    const body = (await response.json().catch(() => null)) as { status?: unknown; reason?: unknown } | null
    const date = Date.parse(response.headers.get("date") ?? "")
    if (typeof body?.status !== "string")
      throw new Error(`${url} answers ${response.status}, as no app of ours`)
    if (!response.ok)
      return [{ subject, verdict: "failed", detail: String(body.reason), advice: "Its log says why." }]
    return [
      { subject, verdict: "ok", detail: `${url} is ready` },
      // Whole seconds, of a moment ago. A ticket lives for a minute.
      ...(Number.isNaN(date) ? [] : [clockFinding(subject, date + 500 - Date.now(), 60_000)]),
    ]
  } catch (error) {
    const advice = "Is it running, and is this the address at which people open it?"
    return [{ subject, verdict: "failed", detail: wordsOf(error), advice }]
  }
}

interface PageOptions {
  url: string
  user: { id: string }
  http: RealtimeHttp
  /** What the app tells pages of the provider. */
  entry: Record<string, unknown>
}

/** Joins, publishes, hears it, and finds it in the log. */
async function tryPage(provider: ProviderName, options: PageOptions): Promise<Finding> {
  const { url, user, http, entry } = options
  let client: RealtimeClient | undefined
  try {
    const create = await providers[provider]?.()
    if (!create) throw new Error("there is no transport for it")
    const transport = create({
      // Where the gateway is part of the app, pages find it on their own origin.
      config: { ...entry, provider, ...(provider === "socketio" && !entry.url && { url }) },
      credentials: (body) => http.credentials(provider, body),
      onError() {},
    })
    client = createClient({ transport, http })
    const { connection } = client
    const channel = client.channel(chatChannels.lab({ owner: user.id, visit: randomUUID() }))
    const received = Promise.withResolvers<void>()
    const { ready } = channel.subscribe({ onMessages: () => received.resolve() })
    client.open()
    const why = () => connection.status.error
    await inTime(ready, why)
    const began = performance.now()
    const { id } = await channel.publish("numbered", { side: "left" }, { timeoutMs: patienceMs })
    await inTime(received.promise, why)
    const ms = Math.round(performance.now() - began)
    const { messages } = await http.history(channel.name, { after: 0 })
    if (!messages.some((message) => message.id === id))
      throw new Error("what was accepted isn't in the app's log")
    return {
      subject,
      verdict: "ok",
      detail: `${names[provider]}: published, logged and received in ${ms} ms`,
    }
  } catch (error) {
    const code = isRealtimeError(error) ? error.code : undefined
    const detail = `${names[provider]}: ${wordsOf(error)}`
    return { subject, verdict: "failed", detail, advice: adviceOn(provider, code) }
  } finally {
    await client?.close()
  }
}
