import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { getSession } from "#lib/chat/current.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { createLogger } from "#lib/operations/logger.ts"
import { shareLogger } from "#lib/operations/process-log.ts"
import type { ProcessChat } from "#lib/realtime/process-chat.ts"
import { arriveAt, formOf, outcomeOf, startChat } from "./testing/act.ts"

vi.mock("next/headers", () => import("./testing/request.ts"))
vi.mock("next/cache", () => import("./testing/request.ts"))

type Action = (...sent: unknown[]) => Promise<unknown>

/** Every action of the app: one that is added has to say below what it takes, or these tests fail. */
const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => join(import.meta.dirname, file))
  .filter((file) => readFileSync(file, "utf8").startsWith('"use server"'))
const actions = await loadActions()

async function loadActions(): Promise<Map<string, Action>> {
  const modules = files.map(async (file) => Object.entries<Action>(await import(/* @vite-ignore */ file)))
  return new Map((await Promise.all(modules)).flat())
}

/** What the page of this person sends. Of a form, what it answered last comes first, and may be anything. */
const fitting: Record<string, (owner: string) => unknown[]> = {
  signIn: () => [null, formOf({ name: "Aki", next: "/lab" })],
  signOut: (owner) => [owner],
  changeName: (owner) => [null, formOf({ owner, name: "Ren" })],
  linkDevice: (owner) => [owner],
  enterByLink: () => [null, formOf({ token: "a-token" })],
  createRoom: (owner) => [null, formOf({ owner, name: "Room", isPrivate: "on" })],
  joinRoom: (owner) => [null, formOf({ owner, room: lobbyId })],
  leaveRoom: (owner) => [owner, lobbyId],
  inviteToRoom: (owner) => [owner, lobbyId],
  withdrawInvitations: (owner) => [owner, lobbyId],
  renameRoom: (owner) => [null, formOf({ owner, room: lobbyId, name: "Another name" })],
  deleteRoom: (owner) => [owner, lobbyId],
  removeMember: (owner) => [owner, lobbyId, "somebody"],
  letMemberIn: (owner) => [owner, lobbyId, "somebody"],
  letEverybodyIn: (owner) => [owner, lobbyId],
  acceptInvitation: (owner) => [null, formOf({ owner, token: "a-token" })],
  setLocale: () => ["ja"],
  expirePermissions: () => ["018f0000-0000-7000-8000-000000000000"],
}

const noTexts: unknown[] = [
  ...[
    undefined,
    null,
    5,
    5n,
    true,
    {},
    [],
    ["x"],
    new Map(),
    new Date(Number.NaN),
    () => {},
    Symbol.iterator,
  ],
  ...[{ toString: null }, Object.create(null), Promise.resolve("x"), new FormData(), new Blob(["x"])],
]
const oddTexts = ["", "\0", "\ud800", "x".repeat(600), "../..", "__proto__", "\r\n"]

/** These arguments with one of them, or one field of a form, in the place of which something else stands. */
function* spoiled(sent: unknown[], others: unknown[]): Generator<unknown[]> {
  for (const [place, argument] of sent.entries()) {
    if (argument === null) continue
    for (const other of others) yield sent.with(place, other)
    if (!(argument instanceof FormData)) continue
    for (const name of [...argument.keys()]) {
      for (const value of others.filter((other) => typeof other === "string" || other instanceof Blob)) {
        const form = new FormData()
        for (const [key, known] of argument) form.set(key, known)
        form.set(name, value as string)
        yield sent.with(place, form)
      }
    }
  }
}

let chat: ProcessChat
let dataDir: string
const lines: { level: number; msg: string }[] = []
/** The level of a line, as Pino has it. */
const warning = 40

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "throughline-every-action-"))
  chat = await startChat(dataDir)
  shareLogger(createLogger("app", { destination: { write: (line) => void lines.push(JSON.parse(line)) } }))
})
afterEach(async () => {
  await chat.close()
  rmSync(dataDir, { recursive: true })
})

/** Somebody who has just come in; without a name, who hasn't. */
async function arrive(name?: string): Promise<string> {
  arriveAt(chat, "192.0.2.1")
  if (name === undefined) return "nobody"
  await call("signIn", [null, formOf({ name })])
  return (await getSession()).user?.id ?? ""
}

/** What an action answers, or where it leads. Whatever else it throws is ours, and fails the test. */
const call = (name: string, sent: unknown[]) => outcomeOf((async () => actions.get(name)?.(...sent))())

const refused = { error: "invalid-request" }

it("are all known here", () => {
  expect([...actions.keys()].toSorted()).toEqual(Object.keys(fitting).toSorted())
})

it("are called with anything by strangers, of which the log says so much: one line", async () => {
  await arrive("Aki")
  // As in a process that has said nothing yet.
  vi.resetModules()
  const fresh = await loadActions()
  lines.length = 0
  for (let time = 0; time < 2; time += 1)
    for (const action of fresh.values()) expect(await action()).toEqual(refused)
  expect(lines).toMatchObject([
    { level: warning, msg: expect.stringContaining("a server action was called") },
  ])
})

describe.each(Object.keys(fitting))("%s", (name) => {
  const sentBy = (owner: string) => fitting[name]?.(owner) ?? []

  it.each([["somebody"], ["nobody"]])("refuses of %s what it doesn't take", async (who) => {
    const owner = await arrive(who === "nobody" ? undefined : "Aki")
    lines.length = 0
    const sent = sentBy(owner)
    const misfits = [[], sent.slice(0, -1), [...sent, "more"], ...spoiled(sent, noTexts)]
    for (const misfit of misfits) expect([misfit, await call(name, misfit)]).toEqual([misfit, refused])
    expect(lines.filter(({ level }) => level > warning)).toEqual([])
  })

  it("fails of no text", async () => {
    const owner = await arrive("Aki")
    lines.length = 0
    for (const odd of spoiled(sentBy(owner), oddTexts)) await call(name, odd)
    expect(lines.filter(({ level }) => level > warning)).toEqual([])
  })

  it("takes what its page sends", async () => {
    const owner = await arrive("Aki")
    expect(await call(name, sentBy(owner))).not.toEqual(refused)
  })
})
