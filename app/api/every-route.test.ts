import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, sep } from "node:path"
import { sealData } from "iron-session"
import type { User } from "throughline"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { lobbyId } from "#lib/chat/lobby.ts"
import { newGuest, sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { uploadType } from "#lib/files/rules.ts"
import { createChat } from "#lib/realtime/create.ts"
import { hostChat, type ProcessChat } from "#lib/realtime/process-chat.ts"
import { budgets } from "#lib/security/budgets.ts"
import { createMemoryHub } from "../../realtime/providers/memory/hub.ts"
import { createMemoryPublisher } from "../../realtime/providers/memory/server.ts"

/** Every route of the folder: one that is added has to say here what it is for, or these tests fail. */
const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
const routes = files
  .filter((file) => file.endsWith(`${sep}route.ts`))
  .map((file) => file.split(sep).slice(0, -1).join("/"))
  .toSorted()

const channel = `room:${lobbyId}`
const anId = "018f0000-0000-7000-8000-000000000000"
const message = () => ({ id: crypto.randomUUID(), event: "text-sent", payload: { text: "hi" } })

/** A request that is answered, when it is the right person's and comes from the app's own page. */
interface Call {
  method: string
  path: string
  /** As JSON, unless it is bytes. */
  body?: unknown
  /** Nobody has to be signed in for it. */
  isOpen?: boolean
  /** And yet an address may ask for it only so often. */
  isLimited?: boolean
}

const get = (path: string, rest: Partial<Call> = {}): Call => ({ method: "GET", path, ...rest })
const post = (path: string, body: unknown, rest: Partial<Call> = {}): Call => ({
  ...{ method: "POST", path, body },
  ...rest,
})

const calls: Record<string, Call[]> = {
  "[...path]": ["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => ({
    ...{ method, path: "nothing/here", isOpen: true },
  })),
  "chat/emoji/[version]/[locale]/[file]": [get("chat/emoji/1/en/data.json", { isOpen: true })],
  "chat/files": [post("chat/files", { room: lobbyId, name: "a.txt", size: 2, thumbnailSize: 0 })],
  "chat/files/[id]": [
    get(`chat/files/${anId}`),
    { method: "PUT", path: `chat/files/${anId}`, body: new Uint8Array([1, 2]) },
    post(`chat/files/${anId}`, {}),
    { method: "DELETE", path: `chat/files/${anId}` },
  ],
  "chat/files/[id]/thumbnail": [
    get(`chat/files/${anId}/thumbnail`),
    { method: "PUT", path: `chat/files/${anId}/thumbnail`, body: new Uint8Array([1, 2]) },
  ],
  "chat/kept-out": [get(`chat/kept-out?room=${lobbyId}`)],
  "chat/people": [get(`chat/people?room=${lobbyId}`)],
  "chat/quotes": [get(`chat/quotes?room=${lobbyId}&id=${anId}`)],
  "chat/read": [post("chat/read", { room: lobbyId, epoch: "x", seq: 0 })],
  "chat/search": [get(`chat/search?room=${lobbyId}&query=hi`)],
  "chat/unread": [get("chat/unread")],
  health: [get("health", { isOpen: true })],
  metrics: [get("metrics", { isOpen: true })],
  ready: [get("ready", { isOpen: true })],
  retention: [get("retention", { isOpen: true })],
  "realtime/[...path]": [
    ...["history", "head", "counts", "members"].map((name) => get(`realtime/${name}?channel=${channel}`)),
    get("realtime/config"),
    post("realtime/publish", () => ({ channel, messages: [message()] })),
    post("realtime/signal", { channel, event: "typing", payload: { isTyping: true } }),
    post("realtime/credentials/memory", {}),
    // The service's own signature stands for it.
    post("realtime/webhooks/memory", {}, { isOpen: true, isLimited: true }),
  ],
  traces: [post("traces", { resourceSpans: [] })],
}

type Handler = (request: Request, context: { params: Promise<object> }) => Promise<Response>
type Methods = Record<string, Handler | undefined>

const mutating = ["POST", "PUT", "PATCH", "DELETE"]
const modules = new Map<string, Methods>()
const folder = mkdtempSync(join(tmpdir(), "throughline-routes-"))
const password = "a session secret of this test, long enough"
let chat: ProcessChat

beforeAll(async () => {
  for (const route of routes)
    modules.set(
      route,
      (await import(/* @vite-ignore */ join(import.meta.dirname, route, "route.ts"))) as Methods,
    )
  const env = parseEnv({
    ...{ SESSION_SECRET: password, DATA_DIR: folder, REALTIME_PROVIDER: "socketio", LOG_LEVEL: "silent" },
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
  })
  chat = hostChat({
    env,
    ...(await createChat({
      env,
      publishers: [
        createMemoryPublisher(createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 100 })),
      ],
    })),
  })
})
afterAll(async () => {
  await chat.close()
  rmSync(folder, { recursive: true })
})

/** Somebody who has come in, with their cookie. */
async function enter(): Promise<{ user: User; cookie: string }> {
  const user = newGuest("Aki")
  await chat.rooms.join(user, lobbyId)
  return { user, cookie: `${sessionCookie}=${encodeURIComponent(await sealData({ user }, { password }))}` }
}

const bodyOf = ({ body }: Call) => (typeof body === "function" ? body() : body)

/** Answered by the route's own module, as Next.js calls it. */
async function ask(route: string, call: Call, headers: Record<string, string>): Promise<Response> {
  const { method, path } = call
  const body = bodyOf(call)
  const isBytes = body instanceof Uint8Array
  const request = new Request(`https://chat.example/api/${path}`, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": isBytes ? uploadType : "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: isBytes ? (body as BodyInit) : JSON.stringify(body) }),
  })
  const handler = modules.get(route)?.[method] as Handler
  const params = { id: anId, version: "1", locale: "en", file: "data.json" }
  return handler(request, { params: Promise.resolve(params) })
}

const all = Object.entries(calls).flatMap(([route, list]) =>
  list.map((call) => [`${call.method} /api/${call.path}`, route, call] as const),
)
const closed = all.filter(([, , { isOpen }]) => !isOpen)

describe("the API's routes", () => {
  it("are all known here, with each of their methods", () => {
    expect(Object.keys(calls).toSorted()).toEqual(routes)
    for (const [route, methods] of modules) {
      const offered = ["GET", ...mutating].filter((method) => methods[method])
      expect([route, [...new Set(calls[route]?.map(({ method }) => method))].toSorted()]).toEqual([
        route,
        offered.toSorted(),
      ])
      // Next.js answers it, and allows other origins nothing.
      expect([route, methods.OPTIONS]).toEqual([route, undefined])
    }
  })

  it.each(all)("%s: no cache keeps its answer, and no other origin may read it", async (_, route, call) => {
    const { cookie } = await enter()
    const { headers } = await ask(route, call, { cookie, origin: "https://evil.example" })
    expect(headers.get("access-control-allow-origin")).toBeNull()
    // What was made with the app is everybody's.
    if (!route.startsWith("chat/emoji/")) expect(headers.get("cache-control")).toMatch(/no-store|no-cache/)
  })

  it.each(closed)("%s: is nobody's who isn't signed in, or has signed out", async (_, route, call) => {
    const { user, cookie } = await enter()
    expect((await ask(route, call, { cookie })).status).not.toBe(401)
    expect((await ask(route, call, {})).status).toBe(401)
    await chat.guests.leave(user.id)
    expect((await ask(route, call, { cookie })).status).toBe(401)
  })

  const simple = [
    undefined,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
  ]
  const posts = closed.filter(([, , { method }]) => method === "POST")
  it.each(posts)("%s: does nothing that another site's page can ask for unasked", async (_, route, call) => {
    const { cookie } = await enter()
    const refused = [400, 415]
    for (const origin of ["https://evil.example", "null", undefined]) {
      for (const type of [...simple, "text/plain; application/json"]) {
        const headers = { cookie, ...(origin && { origin }), "content-type": type ?? "" }
        const { status } = await ask(route, call, headers)
        expect([origin, type, refused.includes(status)]).toEqual([origin, type, true])
      }
    }
    expect(refused).not.toContain((await ask(route, call, { cookie })).status)
  })

  const limited = all.filter(([, , { isOpen, isLimited }]) => !isOpen || isLimited)
  it.each(limited)("%s: the people of an address have a budget together", async (_, route, call) => {
    const [full, other] = [`full.${route}.${call.path}`, `other.${route}.${call.path}`]
    for (const budget of Object.keys(budgets) as (keyof typeof budgets)[])
      if (budget.endsWith(" from an address")) await chat.limits.take(budget, full, 2 ** 31).catch(() => {})
    const statusFrom = async (address: string) =>
      (await ask(route, call, { cookie: (await enter()).cookie, "x-forwarded-for": address })).status
    expect(await statusFrom(full)).toBe(429)
    expect(await statusFrom(other)).not.toBe(429)
  })
})
