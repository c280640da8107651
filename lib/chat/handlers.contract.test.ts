import { sealData } from "iron-session"
import type { User } from "throughline"
import { afterEach, expect, it, vi } from "vitest"
import { createLimits } from "../security/limits.ts"
import { askPeople, askQuotes, askUnread, moveRead, searchRoom } from "./api.ts"
import { createGuests } from "./guests.ts"
import { type ChatHandlers, createChatHandlers } from "./handlers.ts"
import { listVersion } from "./rooms.ts"
import { identifyRequest, sessionCookie, sessionOptions } from "./session.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const [alice, bob, carol] = ["alice", "bob", "carol"].map((id) => ({ id, name: id })) as [User, User, User]
const session = sessionOptions({
  SESSION_SECRET: "a secret of this test, long enough",
  hasSecureCookies: true,
})

/** The routes as they are, and a private room of Alice's and Bob's. `ask` is a browser's request, with the status and body of the answer. */
async function open({ database, rooms, readPositions, search, index, log }: TestProcess) {
  const limits = await createLimits({})
  const failures: unknown[] = []
  const guests = createGuests(database)
  const handlers = createChatHandlers({
    ...{ rooms, readPositions, search, index, limits },
    identify: (request) => identifyRequest(request, session, guests),
    onError: (error) => void failures.push(error),
  })
  const cookieOf = async (user: User | null) =>
    user && `${sessionCookie}=${await sealData({ user }, { password: session.password as string })}`
  /** What a page's `fetch` does in a browser where this user is signed in. */
  const fetchAs = (user: User | null) => async (path: string, init: RequestInit) => {
    const request = new Request(new URL(path, "https://chat.test"), init)
    const cookie = await cookieOf(user)
    if (cookie) request.headers.set("cookie", cookie)
    const name = new URL(request.url).pathname.split("/").at(-1) as keyof ChatHandlers
    return handlers[name](request)
  }
  async function ask(
    user: User | null,
    name: keyof ChatHandlers,
    question: Record<string, string> | [string, string][] | { body: BodyInit; type?: string },
  ) {
    const url = new URL(`https://chat.test/api/chat/${name}`)
    const isPost = "body" in question
    if (!isPost) url.search = new URLSearchParams(question as [string, string][]).toString()
    const cookie = await cookieOf(user)
    const request = new Request(url, {
      headers: {
        ...(cookie && { cookie }),
        ...(isPost && { "content-type": (question.type as string | undefined) ?? "application/json" }),
      },
      ...(isPost && { method: "POST", body: question.body as string }),
    })
    const response = await handlers[name](request)
    expect(response.headers.get("cache-control")).toBe("no-store")
    return { status: response.status, body: await response.json() }
  }
  const { id: room } = await rooms.create(alice, { name: "x", isPrivate: true })
  await rooms.accept(bob, (await rooms.invite(alice.id, room)) ?? "")
  return { ask, fetchAs, failures, room, ...writerOf({ log }, room) }
}

afterEach(() => vi.unstubAllGlobals())

const refusal = (status: number, code: string) => ({ status, body: { error: { code } } })

describeStores("the chat's routes", (use) => {
  it("answer for a text that not every database keeps as every database would", () =>
    use(async ({ main }) => {
      const { ask, failures } = await open(main)
      const refused = refusal(400, "invalid-request")
      expect(await ask(alice, "search", { room: "a\0", query: "x" })).toMatchObject(refused)
      expect(await ask(alice, "quotes", { room: "a\0", id: "x" })).toMatchObject(refused)
      for (const room of ["\0", "\ud800"]) {
        const body = JSON.stringify({ room, epoch: "x", seq: 1 })
        expect(await ask(alice, "read", { body })).toMatchObject(refused)
      }
      expect(failures).toEqual([])
    }))

  it("answer whoever is signed in and in the room", () =>
    use(async ({ main }) => {
      const { ask, room, say } = await open(main)
      const said = await say(alice, "hello @bob", { mentions: ["bob"] })
      const { epoch } = said
      expect(await ask(bob, "unread", {})).toEqual({
        status: 200,
        body: {
          rooms: [
            {
              ...{ room, unread: 1, mentions: 1, at: said.at },
              ...{ read: { epoch, seq: 0 }, head: { epoch, seq: 1 } },
            },
          ],
          list: listVersion(await main.rooms.list("bob"), bob),
        },
      })
      expect(await ask(bob, "read", { body: JSON.stringify({ room, epoch, seq: 1 }) })).toEqual({
        status: 200,
        body: { read: { epoch, seq: 1 } },
      })
      expect(await ask(bob, "unread", {})).toMatchObject({ body: { rooms: [{ unread: 0, mentions: 0 }] } })
      expect(await ask(bob, "search", { room, query: "hel" })).toEqual({
        status: 200,
        body: {
          results: [{ id: said.id, seq: 1, at: said.at, from: alice, text: "hello @bob" }],
          ...{ next: null, isIndexing: false },
        },
      })
      expect(await ask(bob, "search", { room, query: "hel", before: "1" })).toMatchObject({
        body: { results: [] },
      })
      expect(await ask(bob, "people", { room })).toEqual({ status: 200, body: { people: [alice, bob] } })
    }))

  it("say what messages are now that a page quotes and hasn't loaded", () =>
    use(async ({ main }) => {
      const { ask, room, say, edit, remove } = await open(main)
      const [kept, edited, gone] = [await say(alice, "one"), await say(bob, "two"), await say(bob, "three")]
      await edit(bob, edited.id, "two, as it is now")
      await remove(bob, gone.id)
      const question = [
        ["room", room],
        ...[kept.id, edited.id, gone.id, "never-said"].map((id) => ["id", id]),
      ] as [string, string][]
      const { status, body } = await ask(alice, "quotes", question)
      expect(status).toBe(200)
      const byId = new Map(body.messages.map((message: { id: string }) => [message.id, message]))
      expect(byId).toEqual(
        new Map([
          [kept.id, { id: kept.id, from: alice, text: "one", isDeleted: false }],
          [edited.id, { id: edited.id, from: bob, text: "two, as it is now", isDeleted: false }],
          [gone.id, { id: gone.id, from: bob, text: "", isDeleted: true }],
        ]),
      )
      // Those of another room are none of this one's.
      const { id: other } = await main.rooms.create(alice, { name: "y", isPrivate: true })
      expect(await ask(alice, "quotes", { room: other, id: kept.id })).toMatchObject({
        body: { messages: [] },
      })
    }))

  it("tell strangers nothing: not what is in a private room, not whether there is one", () =>
    use(async ({ main }) => {
      const { ask, room, say, failures } = await open(main)
      const { epoch } = await say(alice, "a secret")
      for (const asked of [room, "no-such-room"]) {
        const denied = refusal(403, "channel-denied")
        expect(await ask(carol, "search", { room: asked, query: "secret" })).toMatchObject(denied)
        expect(await ask(carol, "people", { room: asked })).toMatchObject(denied)
        expect(await ask(carol, "quotes", { room: asked, id: "x" })).toMatchObject(denied)
        const body = JSON.stringify({ room: asked, epoch, seq: 1 })
        expect(await ask(carol, "read", { body })).toMatchObject(denied)
      }
      expect(await ask(carol, "unread", {})).toEqual({
        status: 200,
        body: { rooms: [], list: listVersion([], carol) },
      })
      expect(await main.database.selectFrom("read_positions").select("user_id").execute()).not.toContainEqual(
        {
          user_id: "carol",
        },
      )
      for (const name of ["unread", "search", "people", "quotes"] as const)
        expect(await ask(null, name, { room, query: "secret" })).toMatchObject(refusal(401, "unauthorized"))
      expect(await ask(null, "read", { body: "{}" })).toMatchObject(refusal(401, "unauthorized"))
      expect(failures).toEqual([])
    }))

  it("answer a page only while its owner is signed in", () =>
    use(async ({ main }) => {
      const { fetchAs, room, say } = await open(main)
      const { epoch } = await say(alice, "hello")
      const asked: ((owner: string) => Promise<unknown>)[] = [
        askUnread,
        (owner) => moveRead(owner, room, { epoch, seq: 1 }, false),
        (owner) => searchRoom(owner, room, "hello"),
        (owner) => askQuotes(owner, room, ["x"]),
        (owner) => askPeople(owner, room),
      ]
      for (const session of [bob, null]) {
        vi.stubGlobal("fetch", fetchAs(session))
        for (const ask of asked) await expect(ask("alice")).rejects.toMatchObject({ code: "session-changed" })
      }
      expect(await main.readPositions.unread("bob")).toMatchObject([{ unread: 1 }])
      vi.stubGlobal("fetch", fetchAs(bob))
      for (const ask of asked) await ask("bob")
      expect(await main.readPositions.unread("bob")).toMatchObject([{ unread: 0 }])
    }))

  it("refuse what is malformed, and what another site can send", () =>
    use(async ({ main }) => {
      const { ask, room, say, failures } = await open(main)
      const { epoch } = await say(alice, "hello")
      const malformed = refusal(400, "invalid-request")
      const good = { room, epoch, seq: 1 }
      for (const body of [
        ...[
          "",
          "null",
          "[]",
          "{",
          "7",
          JSON.stringify({ ...good, seq: -1 }),
          JSON.stringify({ ...good, seq: 1.5 }),
        ],
        ...[
          JSON.stringify({ ...good, seq: "1" }),
          JSON.stringify({ ...good, room: null }),
          JSON.stringify({ room }),
        ],
        JSON.stringify({ ...good, epoch: "x".repeat(1_000) }),
      ])
        expect(await ask(bob, "read", { body })).toMatchObject(malformed)
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
        expect(await ask(bob, "read", { body: JSON.stringify(good), type })).toMatchObject(malformed)
      for (const query of [
        {},
        { room },
        { room, query: "x", before: "-1" },
        { room, query: "x", before: "1e9" },
      ])
        expect(await ask(bob, "search", query as Record<string, string>)).toMatchObject(malformed)
      expect(await ask(bob, "people", {})).toMatchObject(malformed)
      const tooMany = Array.from({ length: 51 }, (_, n): [string, string] => ["id", String(n)])
      for (const query of [
        [["id", "x"]],
        [
          ["room", room],
          ["id", ""],
        ],
        [["room", room], ...tooMany],
      ])
        expect(await ask(bob, "quotes", query as [string, string][])).toMatchObject(malformed)
      expect(await ask(bob, "people", { room: "x".repeat(1_000) })).toMatchObject(malformed)
      expect(failures).toEqual([])
    }))

  it("are limited", () =>
    use(async ({ main }) => {
      const { ask, room } = await open(main)
      const statuses: number[] = []
      for (let n = 0; n < 70; n += 1) statuses.push((await ask(bob, "search", { room, query: "-" })).status)
      expect([statuses[0], statuses.at(-1)]).toEqual([200, 429])
      expect(await ask(alice, "search", { room, query: "-" })).toMatchObject({ status: 200 })
    }))
})
