import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sealData } from "iron-session"
import type { User } from "throughline"
import { createAblyPublisher } from "throughline/ably/server"
import { createPusherPublisher } from "throughline/pusher/server"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { room as roomChannel } from "#lib/chat/channels.ts"
import { newGuest, sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { uploadType } from "#lib/files/rules.ts"
import { type Chat, createChat } from "#lib/realtime/create.ts"

const password = "a session secret of this test, long enough"
const [alice, bob] = [newGuest("Alice"), newGuest("Bob")]
const folder = mkdtempSync(join(tmpdir(), "throughline-kept-out-"))
/** Nothing listens there: what is signed needs no service. */
const nowhere = { port: 9, tls: false }
let chat: Chat
let room: string
let channel: string
let token: string
/** Of Alice's, which is sent. */
let file: string

beforeAll(async () => {
  const env = parseEnv({
    ...{ SESSION_SECRET: password, DATA_DIR: folder, REALTIME_PROVIDER: "socketio", LOG_LEVEL: "silent" },
  })
  const publishers = [
    createPusherPublisher({
      appId: "1",
      key: "key",
      secret: "secret",
      cluster: "",
      host: "127.0.0.1",
      ...nowhere,
    }),
    createAblyPublisher({ apiKey: "app.key:secret", endpoint: "127.0.0.1", ...nowhere }),
  ]
  chat = await createChat({ env, publishers })
  room = (await chat.rooms.create(alice, { name: "open", isPrivate: false })).id
  channel = roomChannel({ room }).name
  token = (await chat.rooms.invite(alice.id, room)) ?? ""
  file = await sendFile()
})
beforeEach(async () => {
  await chat.rooms.letIn(alice.id, room, bob.id)
  await chat.rooms.join(bob, room)
})
afterAll(async () => {
  await chat.close()
  rmSync(folder, { recursive: true })
})

async function requestOf(user: User, path: string, body?: unknown): Promise<Request> {
  const cookie = `${sessionCookie}=${encodeURIComponent(await sealData({ user }, { password }))}`
  const isBytes = body instanceof Uint8Array
  return new Request(`https://chat.example/api/${path}`, {
    headers: { cookie, "content-type": isBytes ? uploadType : "application/json" },
    ...(body !== undefined && {
      ...{ method: isBytes ? "PUT" : "POST", body: isBytes ? (body as BodyInit) : JSON.stringify(body) },
    }),
  })
}

type Answer = { status: number; body: Record<string, unknown> }
type Handle = (request: Request) => Promise<Response>

async function ask(handle: Handle, user: User, path: string, body?: unknown): Promise<Answer> {
  const response = await handle(await requestOf(user, path, body))
  const isJson = response.headers.get("content-type")?.startsWith("application/json")
  return { status: response.status, body: isJson ? await response.json() : {} }
}

const announcement = () => ({ room, name: "a.txt", size: 2, thumbnailSize: 0 })

async function sendFile(): Promise<string> {
  const { fileHandlers: files } = chat
  const announced = await ask(files.announce, alice, "chat/files", announcement())
  const id = String(announced.body.id)
  await ask(
    (request) => files.receive(request, id, "file"),
    alice,
    `chat/files/${id}`,
    new Uint8Array([104, 105]),
  )
  const { body } = await ask((request) => files.complete(request, id, "file"), alice, `chat/files/${id}`, {})
  const messageId = crypto.randomUUID()
  await chat.access.files.claim({ userId: alice.id, roomId: room, messageId, files: [body.file as never] })
  return id
}

/** Every way into a room, and what whoever is in it gets there: true where it is let in. */
const ways: Record<string, (user: User) => Promise<boolean>> = {
  history: async (user) => isFine(await get(user, "history")),
  head: async (user) => Object.hasOwn((await get(user, "head")).body.heads as object, channel),
  counts: async (user) => Object.hasOwn((await get(user, "counts")).body.counts as object, channel),
  // The service that would be asked isn't there.
  members: async (user) => (await get(user, "members")).status !== 403,
  async publish(user) {
    const message = { id: crypto.randomUUID(), event: "text-sent", payload: { text: "hi" } }
    const { status, body } = await ask(chat.realtime.handlers.POST, user, "realtime/publish", {
      channel,
      messages: [message],
    })
    return status === 200 && !("error" in ((body.results as object[])[0] ?? {}))
  },
  async signal(user) {
    const body = { channel, event: "typing", payload: { isTyping: true } }
    return (await ask(chat.realtime.handlers.POST, user, "realtime/signal", body)).status !== 403
  },
  unread: async (user) => {
    const { body } = await ask(chat.handlers.unread, user, "chat/unread")
    return (body.rooms as { room: string }[]).some((counted) => counted.room === room)
  },
  read: async (user) =>
    isFine(await ask(chat.handlers.read, user, "chat/read", { room, epoch: "x", seq: 0 })),
  search: async (user) => isFine(await ask(chat.handlers.search, user, `chat/search?room=${room}&query=hi`)),
  quotes: async (user) =>
    isFine(await ask(chat.handlers.quotes, user, `chat/quotes?room=${room}&id=${crypto.randomUUID()}`)),
  people: async (user) => isFine(await ask(chat.handlers.people, user, `chat/people?room=${room}`)),
  "an upload": async (user) =>
    isFine(await ask(chat.fileHandlers.announce, user, "chat/files", announcement())),
  "a file": async (user) =>
    isFine(
      await ask((request) => chat.fileHandlers.serve(request, file, "file"), user, `chat/files/${file}`),
    ),
  "Pusher's signature": async (user) =>
    isFine(
      await ask(chat.realtime.handlers.POST, user, "realtime/credentials/pusher", {
        ...pusher,
        kind: "messages",
        channel,
      }),
    ),
  "Pusher's signature for presence": async (user) =>
    isFine(
      await ask(chat.realtime.handlers.POST, user, "realtime/credentials/pusher", {
        ...{ ...pusher, kind: "presence", channel, data: { status: "active" } },
      }),
    ),
  async "Ably's token"(user) {
    const { body } = await ask(chat.realtime.handlers.POST, user, "realtime/credentials/ably", {
      channels: [channel],
    })
    return !Object.hasOwn(body.denied as object, channel)
  },
  "a gateway's socket": (user) => may(user, "subscribe"),
  "a gateway's publish": (user) => may(user, "publish"),
  "a gateway's presence": (user) => may(user, "presence"),
  "an invitation that they make": async (user) => (await chat.rooms.invite(user.id, room)) !== null,
  "an invitation that they follow": async (user) => (await chat.rooms.accept(user, token)) !== null,
}

const pusher = { socketId: "1.2" }
const get = (user: User, name: string) =>
  ask(chat.realtime.handlers.GET, user, `realtime/${name}?channel=${channel}`)
const isFine = ({ status }: Answer) => status === 200
const may = (user: User, action: "subscribe" | "publish" | "presence") =>
  chat.realtime.core.authorize(user, channel, action).then(
    () => true,
    ({ code }: { code: string }) => {
      expect(code).toBe("channel-denied")
      return false
    },
  )

describe("whom a public room's owner has put out", () => {
  it.each(Object.keys(ways))("is let in by no way until they are let in again: %s", async (way) => {
    const isLetIn = () => ways[way]?.(bob)
    expect(await isLetIn()).toBe(true)
    expect(await chat.rooms.remove(alice.id, room, bob.id)).toEqual(bob)
    expect(await isLetIn()).toBe(false)
    expect(await ways[way]?.(alice)).toBe(true)
    // Nor after they have tried to come back.
    await chat.rooms.join(bob, room)
    await chat.rooms.accept(bob, token)
    expect(await isLetIn()).toBe(false)
    expect(await chat.rooms.letIn(alice.id, room, bob.id)).toBe(true)
    await chat.rooms.join(bob, room)
    expect(await isLetIn()).toBe(true)
  })

  it("is told to the owner alone", async () => {
    await chat.rooms.remove(alice.id, room, bob.id)
    const path = `chat/kept-out?room=${room}`
    expect(await ask(chat.handlers.keptOut, alice, path)).toEqual({ status: 200, body: { people: [bob] } })
    for (const user of [bob, newGuest("Carol")])
      expect(await ask(chat.handlers.keptOut, user, path)).toMatchObject({
        ...{ status: 403, body: { error: { code: "channel-denied" } } },
      })
  })
})
