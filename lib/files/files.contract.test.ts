import { randomUUID } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ownerHeaders, RealtimeError, type User } from "throughline"
import { createSqliteLog } from "throughline/log/sqlite"
import { findPostgres, startPostgres, type TestPostgres } from "throughline/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { room as roomChannel, type SharedFile } from "../chat/channels.ts"
import { type Database, openDatabase, openPool } from "../chat/database.ts"
import { createRooms, type Rooms } from "../chat/rooms.ts"
import { createLimits } from "../security/limits.ts"
import type { FileStore } from "./file-store.ts"
import { createFiles, type Files } from "./files.ts"
import { createFileHandlers } from "./handlers.ts"
import { createLocalStore } from "./local-store.ts"
import { createFileRegister, type FileRegister } from "./register.ts"
import { maxFileBytes, maxThumbnailBytes, type UploadTarget, type UploadTicket } from "./rules.ts"
import { createS3Store } from "./s3-store.ts"
import { makePng } from "./testing/pictures.ts"
import { startS3Server } from "./testing/s3-server.ts"

const alice: User = { id: "alice", name: "Alice" }
const bob: User = { id: "bob", name: "Bob" }
const mallory: User = { id: "mallory", name: "Mallory" }

interface Stage extends AsyncDisposable {
  database: Database
  files: Files
  register: FileRegister
  rooms: Rooms
  /** Of Alice and Bob. */
  roomId: string
  /** The names of what the store holds. */
  stored(): string[]
  /** What was reported, by its stage. */
  failures: string[]
  pass(ms: number): void
  /** A browser where this user is signed in, and in it the page of the same, or of another. */
  as(user: User | null, owner?: User): Browser
}

type Answer<T = Record<string, unknown>> = { status: number; body: T & { error?: { code: string } } }

interface Browser {
  announce(announcement: object): Promise<Answer<UploadTicket>>
  put(target: UploadTarget, bytes: Uint8Array): Promise<number>
  complete(id: string): Promise<Answer<{ file: SharedFile }>>
  discard(id: string): Promise<number>
  get(
    id: string,
    options?: { thumbnail?: boolean; query?: string; headers?: Record<string, string> },
  ): Promise<Response>
  /** All of it. */
  upload(name: string, bytes: Uint8Array, thumbnail?: Uint8Array): Promise<Answer<{ file: SharedFile }>>
}

interface Backing extends AsyncDisposable {
  database: Database
  store: FileStore | null
  stored(): string[]
}

async function openStage({ database, store, stored, ...backing }: Backing): Promise<Stage> {
  let now = Date.now()
  const clock = () => now
  const register = createFileRegister(database, clock)
  const limits = await createLimits({})
  const rooms = createRooms(database)
  const failures: string[] = []
  const files = createFiles({
    ...{ register, store: store && (async () => store), rooms, limits, now: clock },
    onError: (_, { stage }) => void failures.push(stage),
  })
  const room = await rooms.create(alice, { name: "files", isPrivate: false })
  await rooms.join(bob, room.id)

  function as(user: User | null, owner?: User): Browser {
    const handlers = createFileHandlers({ files, limits, identify: async () => user })
    const request = (path: string, init: RequestInit = {}) => new Request(`http://chat.example${path}`, init)
    const json = (path: string, body: object) =>
      request(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(owner && ownerHeaders(owner.id)) },
        body: JSON.stringify(body),
      })
    const answerOf = async <T>(response: Response): Promise<Answer<T>> => ({
      status: response.status,
      body: (await response.json()) as Answer<T>["body"],
    })
    const browser: Browser = {
      announce: async (announcement) =>
        answerOf(
          await handlers.announce(
            json("/api/chat/files", { room: room.id, thumbnailSize: 0, ...announcement }),
          ),
        ),
      async put({ url, headers }, bytes) {
        const init = { method: "PUT", headers, body: Buffer.from(bytes) }
        if (!url.startsWith("/")) return (await fetch(url, init)).status
        const [, id = "", part] = /^\/api\/chat\/files\/([^/]+)(\/thumbnail)?$/.exec(url) ?? []
        return (await handlers.receive(request(url, init), id, part ? "thumbnail" : "file")).status
      },
      complete: async (id) =>
        answerOf(await handlers.complete(json(`/api/chat/files/${id}`, {}), id, "file")),
      discard: async (id) =>
        (await handlers.discard(request(`/api/chat/files/${id}`, { method: "DELETE" }), id, "file")).status,
      get: (id, { thumbnail = false, query = "", headers = {} } = {}) =>
        handlers.serve(
          request(`/api/chat/files/${id}${query}`, { headers }),
          id,
          thumbnail ? "thumbnail" : "file",
        ),
      async upload(name, bytes, thumbnail) {
        const announced = await browser.announce({
          ...{ name, size: bytes.length, thumbnailSize: thumbnail?.length ?? 0 },
        })
        const { body } = announced
        if (announced.status !== 200) return announced as unknown as Answer<{ file: SharedFile }>
        if (thumbnail && body.thumbnail) await browser.put(body.thumbnail, thumbnail)
        await browser.put(body.file, bytes)
        return browser.complete(body.id)
      },
    }
    return browser
  }

  return {
    ...{ database, files, register, rooms, roomId: room.id, stored, failures, as },
    pass: (ms) => {
      now += ms
    },
    async [Symbol.asyncDispose]() {
      await limits.close()
      await backing[Symbol.asyncDispose]()
    },
  }
}

/** Bytes, also where they are read from a store of their own. */
async function readBytes(response: Response): Promise<{ bytes: Buffer; headers: Headers }> {
  const location = response.headers.get("location")
  const read = location ? await fetch(location) : response
  return { bytes: Buffer.from(await read.arrayBuffer()), headers: read.headers }
}

const picture = makePng(300, 200)
const preview = makePng(30, 20)
const fakeIds = [randomUUID(), "..%2f..%2fchat.db", "../chat.db", "x", "' OR 1=1 --", "%00"]

function describeFiles(name: string, open: () => Promise<Stage>): void {
  describe(`files over ${name}`, () => {
    it("go from a browser to the room: announced, sent, looked at, attached, read", async () => {
      await using stage = await open()
      const { status, body } = await stage.as(alice).upload("港 🚢.png", picture, preview)
      expect([status, body.file]).toEqual([
        200,
        {
          ...{ id: expect.any(String), name: "港 🚢.png", type: "image/png", size: picture.length },
          ...{ width: 300, height: 200, hasThumbnail: true },
        },
      ])
      const { id } = body.file
      const claim = { userId: "alice", roomId: stage.roomId, messageId: randomUUID(), files: [body.file] }
      expect(await stage.register.claim(claim)).toBe(true)
      const read = await readBytes(await stage.as(bob).get(id))
      expect([read.bytes.equals(picture), read.headers.get("content-type")]).toEqual([true, "image/png"])
      expect(read.headers.get("content-disposition")).toMatch(
        /^inline; filename=.*filename\*=UTF-8''%E6%B8%AF/,
      )
      const small = await readBytes(await stage.as(bob).get(id, { thumbnail: true }))
      expect(small.bytes.equals(preview)).toBe(true)
      const saved = await readBytes(await stage.as(bob).get(id, { query: "?download" }))
      expect(saved.headers.get("content-disposition")).toMatch(/^attachment/)
    })

    it("are seen by their uploader alone until they are sent, and by the room's members alone then", async () => {
      await using stage = await open()
      const { body } = await stage.as(alice).upload("a.png", picture)
      const { id } = body.file
      const statusFor = async (user: User | null) => (await stage.as(user).get(id)).status
      const isSeen = async (user: User | null) => [200, 307].includes(await statusFor(user))
      expect([await isSeen(alice), await statusFor(bob), await statusFor(mallory)]).toEqual([true, 404, 404])
      await stage.register.claim({
        ...{ userId: "alice", roomId: stage.roomId, messageId: randomUUID(), files: [body.file] },
      })
      expect([await isSeen(bob), await statusFor(mallory), await statusFor(null)]).toEqual([true, 404, 401])
      await stage.rooms.leave("bob", stage.roomId)
      expect(await statusFor(bob)).toBe(404)
    })

    it("aren't there under any id that was made up", async () => {
      await using stage = await open()
      for (const id of fakeIds) {
        const seen = [await stage.as(alice).get(id), await stage.as(alice).get(id, { thumbnail: true })]
        expect([id, ...seen.map(({ status }) => status)]).toEqual([id, 404, 404])
        expect((await stage.as(alice).complete(id)).status).toBe(404)
        expect(await stage.as(alice).discard(id)).toBe(200)
      }
    })

    it("are taken from nobody who isn't signed in or in the room, and from nobody else than who announced them", async () => {
      await using stage = await open()
      const announcement = { name: "a.png", size: picture.length }
      expect((await stage.as(null).announce(announcement)).status).toBe(401)
      const { status, body } = await stage.as(mallory).announce(announcement)
      expect([status, body.error?.code]).toEqual([403, "channel-denied"])
      expect((await stage.as(alice).announce({ ...announcement, room: randomUUID() })).status).toBe(403)

      const announced = await stage.as(alice).announce(announcement)
      const { id, file } = announced.body
      if (file.url.startsWith("/")) expect(await stage.as(bob).put(file, picture)).toBe(404)
      await stage.as(alice).put(file, picture)
      expect((await stage.as(bob).complete(id)).status).toBe(404)
      await stage.as(bob).discard(id)
      expect((await stage.as(alice).complete(id)).status).toBe(200)
    })

    it("are taken from nobody's page but that of whoever is signed in", async () => {
      await using stage = await open()
      const { status, body } = await stage.as(bob, alice).announce({ name: "a.png", size: picture.length })
      expect([status, body.error?.code]).toEqual([409, "session-changed"])
      expect((await stage.as(bob, bob).upload("a.png", picture)).status).toBe(200)
    })

    it("are refused when they are too large or empty, by what is announced and by what comes", async () => {
      await using stage = await open()
      const browser = stage.as(alice)
      const codeOf = async (announcement: object) => (await browser.announce(announcement)).body.error?.code
      expect(await codeOf({ name: "a", size: maxFileBytes + 1 })).toBe("file-too-large")
      expect(await codeOf({ name: "a", size: 1, thumbnailSize: maxThumbnailBytes + 1 })).toBe(
        "file-too-large",
      )
      expect(await codeOf({ name: "a", size: 0 })).toBe("file-empty")
      for (const size of [-1, 1.5, "1", null, 2 ** 60])
        expect([size, await codeOf({ name: "a", size })]).toEqual([
          size,
          expect.stringMatching(size === 2 ** 60 ? /invalid-request|file-too-large/ : /invalid-request/),
        ])

      for (const size of [picture.length - 1, picture.length + 1]) {
        const { body } = await browser.announce({ name: "a.png", size })
        expect(await browser.put(body.file, picture)).toBeGreaterThanOrEqual(400)
        expect((await browser.complete(body.id)).body.error?.code).toBe("upload-incomplete")
      }
      expect(stage.stored()).toEqual([])
    })

    it("are what their bytes say, or nothing: a false type leaves nothing behind", async () => {
      await using stage = await open()
      const browser = stage.as(alice)
      const html = Buffer.from("<!doctype html><script>alert(1)</script>")
      const refused = await browser.upload("photo.png", html, preview)
      expect([refused.status, refused.body.error?.code]).toEqual([415, "type-false"])
      const program = Buffer.concat([Buffer.from("MZ"), Buffer.alloc(200)])
      expect((await browser.upload("notes.txt", program)).body.error?.code).toBe("type-refused")
      // A picture that is a page too is saved as a picture.
      expect((await browser.upload("page.html", picture)).body.file.name).toBe("page.html.png")
      await stage.files.clear(createNoLog())
      expect(stage.stored()).toHaveLength(1)

      const { body } = await browser.upload("page.html", html)
      expect(body.file).toEqual({
        id: body.file.id,
        name: "page.html",
        type: "text/plain",
        size: html.length,
      })
      const { headers } = await readBytes(await browser.get(body.file.id))
      expect(headers.get("content-disposition")).toMatch(/^attachment/)
      expect(headers.get("content-type")).toBe("text/plain")
    })

    it("are shown without the preview that is none", async () => {
      await using stage = await open()
      for (const bad of [Buffer.from("<script>"), makePng(700, 10)]) {
        const { body } = await stage.as(alice).upload("a.png", picture, bad)
        expect(body.file).toMatchObject({ width: 300, height: 200 })
        expect(body.file.hasThumbnail).toBeUndefined()
        expect((await stage.as(alice).get(body.file.id, { thumbnail: true })).status).toBe(404)
      }
    })

    it("stand in a message only as they are, of its sender, for its room, and in no other message", async () => {
      await using stage = await open()
      const { roomId, register } = stage
      const { file } = (await stage.as(alice).upload("a.png", picture)).body
      const good = { userId: "alice", roomId, messageId: randomUUID(), files: [file] }
      for (const bad of [
        { ...good, userId: "bob" },
        { ...good, roomId: "lobby" },
        { ...good, files: [file, file] },
        { ...good, files: [{ ...file, id: randomUUID() }] },
        ...[{ name: "b.png" }, { type: "text/html" }, { size: 1 }, { width: 1 }, { hasThumbnail: true }].map(
          (lie) => ({ ...good, files: [{ ...file, ...lie }] }),
        ),
      ])
        expect([bad, await register.claim(bad)]).toEqual([bad, false])
      // As a retry of the same message does.
      expect([await register.claim(good), await register.claim(good)]).toEqual([true, true])
      expect(await register.claim({ ...good, messageId: randomUUID() })).toBe(false)
    })

    it("go when nobody sends them, and stay when somebody did", async () => {
      await using stage = await open()
      const hourMs = 3_600_000
      const upload = async (name: string) => (await stage.as(alice).upload(name, picture, preview)).body.file
      const [sent, forgotten, discarded] = [
        await upload("a.png"),
        await upload("b.png"),
        await upload("c.png"),
      ]
      await stage.as(alice).announce({ name: "never.png", size: 10 })
      await stage.register.claim({
        ...{ userId: "alice", roomId: stage.roomId, messageId: randomUUID(), files: [sent] },
      })
      await stage.as(alice).discard(discarded.id)
      // What is sent can't be taken back like that.
      await stage.as(alice).discard(sent.id)
      const ids = (...of: SharedFile[]) => of.flatMap(({ id }) => [id, `${id}.thumbnail`]).sort()
      expect(stage.stored()).toEqual(ids(sent, forgotten))
      stage.pass(6 * 24 * hourMs)
      await stage.files.clear(createNoLog())
      expect(stage.stored()).toEqual(ids(sent, forgotten))
      stage.pass(2 * 24 * hourMs)
      await stage.as(alice).announce({ name: "next.png", size: 10 })
      expect(stage.stored()).toEqual(ids(sent))
      expect(await stage.register.doomed(10)).toEqual([])
    })

    it("go with their message: deleted, no longer kept, or its sender erased", async () => {
      await using stage = await open()
      const { roomId, register, database, files } = stage
      const upload = async (user: User) => (await stage.as(user).upload("a.png", picture)).body.file
      const attach = async (user: User, file: SharedFile) => {
        const messageId = randomUUID()
        expect(await register.claim({ userId: user.id, roomId, messageId, files: [file] })).toBe(true)
        return messageId
      }
      const deleted = await upload(alice)
      const messageId = await attach(alice, deleted)
      await database
        .insertInto("message_index")
        .values({
          ...{
            room_id: roomId,
            seq: 1,
            id: messageId,
            author_id: "alice",
            author_name: "Alice",
            at: 1,
            text: "",
          },
          ...{ is_deleted: 1, deleted_by: "alice", reply_author: null, words: null },
        })
        .execute()
      expect((await stage.as(bob).get(deleted.id)).status).toBe(404)
      expect(await files.clear(createNoLog())).toBe(1)

      const [old, his] = [await upload(alice), await upload(bob)]
      await attach(alice, old)
      await attach(bob, his)
      const log = createSqliteLog({ path: ":memory:" })
      const channel = roomChannel({ room: roomId }).name
      const said = (id: string) => ({ id, channel, event: "text-sent", payload: { text: "x" }, from: alice })
      await log.append([said(randomUUID()), said(randomUUID())])
      expect(await files.clear(log)).toBe(0)
      await log.trim({ maxMessagesPerChannel: 1 })
      // By the log's clock the oldest message is of now: theirs of an hour ago are gone by then.
      await database
        .updateTable("files")
        .set({ at: Date.now() - 2 * 3_600_000 })
        .where("id", "=", old.id)
        .execute()
      expect(await files.clear(log)).toBe(1)
      await log.close()
      expect(stage.stored()).toEqual([his.id])

      expect(await files.forget("bob")).toBe(1)
      expect([stage.stored(), (await stage.as(bob).get(his.id)).status]).toEqual([[], 404])
    })

    it("are limited by what one person may send in a day", async () => {
      await using stage = await open()
      const statuses = new Set<number>()
      for (let count = 0; count < 45; count++)
        statuses.add((await stage.as(alice).announce({ name: "a", size: maxFileBytes })).status)
      expect([...statuses]).toEqual([200, 429])
      expect((await stage.as(bob).announce({ name: "a", size: 1 })).status).toBe(200)
    })
  })
}

/** A log that has everything still. */
const createNoLog = () => ({
  heads: async (channels: readonly string[]) => channels.map(() => ({ seq: 0, first: 1, epoch: "e" })),
  readAfter: () => Promise.reject(new RealtimeError("log-unavailable", { message: "nobody asks" })),
})

function openDisk() {
  const folder = mkdtempSync(join(tmpdir(), "throughline-files-"))
  const kept = join(folder, "files", "kept")
  return {
    folder,
    store: createLocalStore({ directory: join(folder, "files") }),
    stored: () => (existsSync(kept) ? readdirSync(kept).sort() : []),
  }
}

async function openOnDisk({ folder, store, stored } = openDisk()): Promise<Stage> {
  const database = await openDatabase({ dataDir: folder })
  return openStage({
    ...{ database, store, stored },
    async [Symbol.asyncDispose]() {
      await database.destroy()
      rmSync(folder, { recursive: true })
    },
  })
}

describeFiles("SQLite and the disk", () => openOnDisk())

const isMissing = !findPostgres()
describe.skipIf(isMissing)(isMissing ? "postgres (skipped: PostgreSQL not found)" : "with PostgreSQL", () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres[Symbol.asyncDispose]())

  describeFiles("PostgreSQL and S3", async () => {
    const server = await startS3Server()
    const { endpoint, bucket, credentials, objects } = server
    const database = await openDatabase({ pool: openPool(postgres.connectionString), dataDir: "" })
    for (const table of ["files", "message_index"] as const) await database.deleteFrom(table).execute()
    return openStage({
      database,
      store: createS3Store({ endpoint, bucket, ...credentials }),
      stored: () =>
        [...objects.keys()]
          .filter((key) => key.startsWith("kept/"))
          .map((key) => key.slice(5))
          .sort(),
      async [Symbol.asyncDispose]() {
        await database.destroy()
        await server[Symbol.asyncDispose]()
      },
    })
  })
})

describe("files of this machine", () => {
  it("are served as documents without script, in no cache that isn't the reader's, and in parts", async () => {
    await using stage = await openOnDisk()
    const browser = stage.as(alice)
    const { id } = (await browser.upload("a.png", picture)).body.file
    const whole = await browser.get(id)
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      ...{ "x-content-type-options": "nosniff", "cache-control": "private, no-cache" },
      ...{ "content-security-policy": expect.stringMatching(/default-src 'none'.*sandbox/), etag: `"${id}"` },
      ...{ "content-length": String(picture.length), "accept-ranges": "bytes" },
    })
    const known = await browser.get(id, { headers: { "If-None-Match": `"${id}"` } })
    expect([known.status, await known.text()]).toEqual([304, ""])
    await stage.rooms.leave("alice", stage.roomId)
    expect((await browser.get(id, { headers: { "If-None-Match": `"${id}"` } })).status).toBe(404)
    await stage.rooms.join(alice, stage.roomId)

    const { length } = picture
    for (const [asked, status, range, part] of [
      ["bytes=0-9", 206, `bytes 0-9/${length}`, picture.subarray(0, 10)],
      [`bytes=${length - 5}-`, 206, `bytes ${length - 5}-${length - 1}/${length}`, picture.subarray(-5)],
      ["bytes=-5", 206, `bytes ${length - 5}-${length - 1}/${length}`, picture.subarray(-5)],
      ["bytes=5-999999", 206, `bytes 5-${length - 1}/${length}`, picture.subarray(5)],
      [`bytes=${length}-`, 416, `bytes */${length}`, Buffer.alloc(0)],
      ["bytes=0-1,3-4", 200, null, picture],
      ["bytes=-", 200, null, picture],
      ["lines=1-2", 200, null, picture],
    ] as const) {
      const response = await browser.get(id, { headers: { Range: asked } })
      const bytes = Buffer.from(await response.arrayBuffer())
      expect([asked, response.status, response.headers.get("content-range"), bytes.equals(part)]).toEqual([
        ...[asked, status, range, true],
      ])
    }
  })

  it("aren't taken of a form that another site could send", async () => {
    await using stage = await openOnDisk()
    const browser = stage.as(alice)
    const { body } = await browser.announce({ name: "a.png", size: picture.length })
    const headers = { "Content-Type": "text/plain" }
    expect(await browser.put({ ...body.file, headers }, picture)).toBe(400)
  })

  it("are uploaded and discarded beside one whose bytes can't be removed, until they can be", async () => {
    const disk = openDisk()
    await using stage = await openOnDisk(disk)
    const browser = stage.as(alice)
    const { id } = (await browser.upload("a.png", picture)).body.file
    const path = join(disk.folder, "files", "kept", id)
    rmSync(path)
    mkdirSync(path)
    expect(await browser.discard(id)).toBe(200)
    expect((await browser.upload("b.png", picture)).status).toBe(200)
    // Of each reason once.
    expect(stage.failures).toEqual(["remove files that are nobody's any more"])
    rmdirSync(path)
    writeFileSync(path, picture)
    expect((await browser.upload("c.png", picture)).status).toBe(200)
    expect(stage.stored()).not.toContain(id)
  })
})

describe("files of which some can't be removed", () => {
  /** As of a disk that holds back those of `stuck`; time goes on meanwhile. */
  async function openStuck() {
    const disk = openDisk()
    const stuck = new Set<string>()
    const store: FileStore = {
      ...disk.store,
      async remove(key) {
        stage.pass(1)
        if (stuck.has(key)) throw Object.assign(new Error(`unable to remove ${key}`), { code: "EBUSY" })
        await disk.store.remove(key)
      },
    }
    const stage = await openOnDisk({ ...disk, store })
    const upload = async () => (await stage.as(alice).upload("a.png", picture)).body.file.id
    return { stage, stuck, upload }
  }

  it("are removed but for those, whose number and reason is told", async () => {
    const { stage, stuck, upload } = await openStuck()
    await using _ = stage
    for (let count = 0; count < 12; count += 1) stuck.add(await upload())
    for (let count = 0; count < 12; count += 1) await upload()
    const message = "unable to remove 12 files (EBUSY), which are tried again later; 12 were removed"
    await expect(stage.files.forget("alice")).rejects.toThrow(message)
    expect(stage.stored()).toEqual([...stuck].sort())
    stuck.clear()
    expect(await stage.files.clear(createNoLog())).toBe(12)
    expect(stage.stored()).toEqual([])
  })

  it("hold up no others beside uploads either, however many they are", async () => {
    const { stage, stuck, upload } = await openStuck()
    await using _ = stage
    for (let count = 0; count < 12; count += 1) stuck.add(await upload())
    await stage.register.doom({ uploaderId: "alice" })
    stage.pass(1)
    const last = await upload()
    await stage.as(alice).discard(last)
    await upload()
    expect(stage.stored()).not.toContain(last)
    expect(stage.failures).toHaveLength(1)
  })
})

describe("where no file would last", () => {
  it("nothing is taken, and the answer says why", async () => {
    const { folder, stored } = openDisk()
    const database = await openDatabase({ dataDir: folder })
    await using stage = await openStage({
      ...{ database, store: null, stored },
      async [Symbol.asyncDispose]() {
        await database.destroy()
        rmSync(folder, { recursive: true })
      },
    })
    const { status, body } = await stage.as(alice).announce({ name: "a.png", size: 10 })
    expect([status, body.error?.code]).toEqual([501, "files-off"])
    expect((await stage.as(alice).get(randomUUID())).status).toBe(501)
    expect(await stage.files.clear(createNoLog())).toBe(0)
  })
})
