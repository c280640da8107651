import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sealData } from "iron-session"
import { createSocketIoPublisher } from "throughline/socketio/server"
import { freePort } from "throughline/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openDatabase } from "#lib/chat/database.ts"
import { createRooms } from "#lib/chat/rooms.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { budgets } from "#lib/security/budgets.ts"
import type { Chance } from "../realtime/testing/chance.ts"
import fc from "../realtime/testing/fast-check.ts"
import { anything, messages, nearly, outgoing, word } from "../realtime/testing/fuzz/inputs.ts"
import {
  createNonsense,
  createTexts,
  damaged,
  deepBetween,
  type Exchange,
  frameOf,
  fuzzListener,
  fuzzRun,
  inParts,
  inspectorOf,
  inventFrames,
  inventRequests,
  upgradeTo,
} from "../realtime/testing/fuzz/wire.ts"
import { waitLimit } from "../realtime/testing/wait-for.ts"
import { buildOnce } from "../scripts/build-once.ts"
import { projectDir } from "../scripts/run.ts"
import { type RunningProgram, runProgram } from "./testing/program.ts"

// A program that starts on a busy machine takes its time.
waitLimit.ms = 120_000

const { seed } = fuzzRun

/** What asks or says and leaves no rows of its own, or the limits would be all that is tried. */
const wideLimits = Object.keys(budgets)
  .filter((name) => /^(publishes|signals|reads|searches|webhooks|connections) /.test(name))
  .map((name) => `${name.replaceAll(" ", "-")}=1000000000/10`)
  .join(",")

const SESSION_SECRET = "a session secret of this test, long enough"
const SOCKET_INTERNAL_SECRET = "an internal secret of this test, long enough"
const alice = { id: "alice", name: "Alice" }

const channel = fc.oneof(
  {
    weight: 3,
    arbitrary: word("room:lobby", "room:", "room:%F0%9F%98%80", "person:alice", "nothing:1"),
  },
  { weight: 1, arbitrary: fc.nat({ max: 1_000_000 }).map((n) => `room:${n}`) },
)
const packet = fc
  .tuple(
    word("subscribe", "unsubscribe", "publish", "signal", "watch", "enter", "leave", "error"),
    fc.array(fc.oneof(channel, messages, outgoing, word("typing", "text-sent"), anything), { maxLength: 4 }),
    fc.nat({ max: 50 }),
  )
  .map(([event, parameters, id]) => `42${id}${JSON.stringify([event, ...parameters])}`)
/** Each of these is the last that a connection takes. */
const lastPackets = [
  "1",
  "2",
  "3",
  "6",
  "2probe",
  "42[",
  '42["publish"',
  '421["connect"]',
  '421["disconnect"]',
  '421["newListener"]',
  "41/x,",
  "40/x,{}",
  "43[]",
  "430[]",
  "44{}",
  "5",
  "4",
  "40",
  "41",
  "451-",
  '451-["x",{"_placeholder":true,"num":0}]',
  "9",
  "",
  "bAAAA",
].map((text) => Buffer.from(text))
const deepPackets = [
  ...deepBetween('421["publish","room:lobby",[{"id":"x","event":"text-sent","payload":{"text":', "}}]]"),
  ...deepBetween('421["signal","room:lobby","typing",', "]"),
  ...deepBetween('421["enter","room:lobby",', "]"),
  ...deepBetween('421["subscribe",', "]"),
]
const deepBodies = deepBetween(
  '{"channel":"room:lobby","messages":[{"id":"x","event":"text-sent","payload":{"text":',
  "}}]}",
)
const anId = "018f0000-0000-7000-8000-000000000000"
const room = word("lobby", "nowhere", "")
const bodies = fc
  .oneof(
    nearly({
      ...{ channel, messages, channels: fc.array(channel, { maxLength: 3 }) },
      ...{ event: word("typing"), payload: nearly({ isTyping: fc.boolean() }) },
    }),
    // The chat's own: a place that one has read to, a file that is announced, spans.
    nearly({ room, epoch: fc.string(), seq: fc.integer() }),
    nearly({ room, name: fc.string(), size: fc.integer(), thumbnailSize: fc.integer() }),
    nearly({ resourceSpans: fc.array(anything, { maxLength: 2 }) }),
    // An action's arguments, as Next.js' scripts write them.
    fc.array(fc.oneof(word("alice", "lobby", "ja", "$undefined", "$K1", "$Q1", "$@1"), anything), {
      maxLength: 3,
    }),
  )
  .map((body) => JSON.stringify(body))

/** Forms as pages send them to actions of the server, by their scripts or without, or nearly. */
function formsOf(actionIds: readonly string[]) {
  const id = fc.constantFrom("", ...actionIds)
  const name = word(
    ...["0", "1", "1_name", "1_owner", "1_room", "1_token", "name", "owner", "room", "token"],
    ...[
      "$ACTION_KEY",
      "$ACTION_REF_1",
      "$ACTION_1:0",
      "$ACTION_1:1",
      ...actionIds.map((one) => `$ACTION_ID_${one}`),
    ],
  )
  const value = fc.oneof(
    id.map((one) => JSON.stringify({ id: one, bound: "$@1" })),
    fc.constantFrom('["$K1"]', '[null,"$K1"]', "[null]", "alice", "lobby"),
    anything.map((one) => JSON.stringify(one)),
  )
  return fc.array(fc.tuple(name, value), { maxLength: 6 }).map((fields) => {
    const parts = fields.map(
      ([field, text]) => `Content-Disposition: form-data; name="${field}"\r\n\r\n${text}\r\n`,
    )
    return `--x\r\n${parts.join("--x\r\n")}--x--\r\n`
  })
}

interface Polls {
  from: string
  hello: Buffer
  lasting(chance: Chance): Buffer
  last(chance: Chance): Buffer
}

/** The same packets, as many as one likes in a request, of somebody who can't have a WebSocket. */
function inventPolls(chance: Chance, { from, hello, lasting, last }: Polls): Exchange {
  const address = "/socket.io/?EIO=4&transport=polling"
  let session = ""
  const poll = () => Buffer.from(`GET ${address}${session} HTTP/1.1\r\nHost: x\r\n${from}\r\n`)
  const post = (...packets: Buffer[]) => {
    const body = Buffer.concat(
      packets.flatMap((one, index) => (index > 0 ? [Buffer.from("\x1e"), one] : [one])),
    )
    const head = `POST ${address}${session} HTTP/1.1\r\nHost: x\r\n${from}Content-Length: ${body.length}\r\n\r\n`
    return Buffer.concat([Buffer.from(head), body])
  }
  const packets = Array.from({ length: chance.between(10, 120) }, () => lasting(chance))
  const end = last(chance)
  return inParts([
    { bytes: poll(), inputs: 1 },
    {
      after: "pingInterval",
      bytes(answer) {
        session = `&sid=${/"sid":"([^"]*)"/.exec(answer)?.[1]}`
        return post(hello)
      },
    },
    { after: "\r\n\r\nok", bytes: poll },
    { after: "40{", bytes: () => post(...packets), inputs: packets.length },
    { after: "\r\n\r\nok", bytes: () => post(end, Buffer.from("1")), inputs: 1 },
    { after: "HTTP/1.1 ", bytes: Buffer.alloc(0) },
  ])
}

/** What pages call the server's actions by. */
const readActionIds = (): string[] =>
  Object.keys(
    JSON.parse(readFileSync(join(projectDir, ".next/server/server-reference-manifest.json"), "utf8")).node,
  )

const gatewayAddresses = [
  ...["/", "/nothing", "/socket.io", "/socket.io-guide", "/socket.io/?EIO=4", "/socket.io/?EIO=3"],
  ...["polling", "polling&sid=nobody", "polling&sid=", "polling&j=1", "websocket&sid=", "nothing"].map(
    (transport) => `/socket.io/?EIO=4&transport=${transport}`,
  ),
  ...["/api/health", "/api/ready", "/api/metrics", "/api/realtime/internal/publish"],
]
const appAddresses = [
  ...gatewayAddresses,
  ...["/?next=%2F%09%2Fx", "/rooms/lobby", "/lab", "/invitations/x", "/devices/x"],
  ...["unread", "read", "files", `files/${anId}`, `files/${anId}/thumbnail`, "emoji/1/en/data.json"].map(
    (path) => `/api/chat/${path}`,
  ),
  ...["search?room=lobby&query=hi", "people?room=lobby", `quotes?room=lobby&id=${anId}`].map(
    (path) => `/api/chat/${path}`,
  ),
  ...["/api/traces", "/api/retention"],
  ...[
    ...["publish", "history?channel=room:lobby", "head?channel=room:lobby", "counts", "members", "config"],
    ...["signal", "credentials/socketio", "webhooks/pusher", "%2e%2e/x"],
  ].map((path) => `/api/realtime/${path}`),
]

describe.each([
  { name: "the gateway", file: "gateway.ts", isApp: false },
  { name: "the app with its gateway", file: "main.ts", isApp: true },
] as const)("$name", ({ file, isApp }) => {
  const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-fuzz-"))
  let program: RunningProgram
  let port: number
  let cookie: string

  beforeAll(async () => {
    if (isApp) await buildOnce()
    const database = await openDatabase({ dataDir: DATA_DIR })
    await createRooms(database).join(alice, "lobby")
    await database.destroy()
    cookie = `${sessionCookie}=${await sealData({ user: alice }, { password: SESSION_SECRET })}`
    port = await freePort()
    program = runProgram(file, {
      ...{
        NODE_ENV: "production",
        HOST: "127.0.0.1",
        PORT: String(port),
        REALTIME_PROVIDER: "socketio",
        DATA_DIR,
      },
      ...{
        SESSION_SECRET,
        SOCKET_INTERNAL_SECRET,
        LOG_LEVEL: "error",
        LIMITS: wideLimits,
        NODE_OPTIONS: "--inspect=127.0.0.1:0",
      },
    })
    await program.whenStarted(async () => (await fetch(`http://127.0.0.1:${port}/api/health`)).ok)
  }, 600_000)
  afterAll(async () => {
    program?.child.kill("SIGTERM")
    await program?.exited
    rmSync(DATA_DIR, { recursive: true, force: true })
  })

  it("takes whatever comes", { timeout: 7_200_000 }, async () => {
    const url = `http://127.0.0.1:${port}`
    const publisher = createSocketIoPublisher({ internalUrl: url, secret: SOCKET_INTERNAL_SECRET })
    const getTicket = async () => {
      const granted = await publisher.credentials({
        ...{ user: alice, body: {} },
        ...{ authorize: async () => {}, acceptPresence: async () => null },
      })
      return (granted as { ticket: string }).ticket
    }
    const frames = createTexts(seed, packet)
    const nonsense = createNonsense(seed)
    const body = createTexts(seed, bodies)
    const actionIds = isApp ? readActionIds() : []
    const form = createTexts(seed, formsOf(actionIds))
    const headers = [
      "Content-Type: multipart/form-data; boundary=x\r\n",
      ...(actionIds.length > 0 ? [(one: Chance) => `Next-Action: ${one.pick(actionIds)}\r\n`] : []),
      "Content-Type: application/json\r\n",
      "Content-Type: text/plain\r\n",
      `Cookie: ${cookie}\r\n`,
      "Origin: http://x\r\n",
      "X-Forwarded-Proto: https\r\n",
      "X-Forwarded-Host: x\r\n",
      "Authorization: Bearer x\r\n",
      "Expect: 100-continue\r\n",
    ]
    let caller = 0
    await fuzzListener({
      ...{ name: file, port, inspector: await inspectorOf(program.output) },
      async invent(chance) {
        if (chance.happens(0.4))
          return inventRequests(chance, {
            addresses: isApp ? appAddresses : gatewayAddresses,
            headers,
            body: (one) =>
              one.happens(0.01)
                ? one.pick(deepBodies)
                : one.happens(0.5)
                  ? one.pick([body, form])(one)
                  : nonsense(one).subarray(0, 20_000),
          })
        // Everybody from an address of their own, as a proxy on this machine says, or the limits would be all that is tried.
        caller += 1
        const from = `X-Forwarded-For: 10.${(caller >> 16) & 255}.${(caller >> 8) & 255}.${caller & 255}\r\n`
        const hello = Buffer.from(`40${JSON.stringify({ ticket: await getTicket() })}`)
        const lasting = (one: Chance) => (one.happens(0.01) ? one.pick(deepPackets) : frames(one))
        const last = (one: Chance) =>
          one.pick([one.pick(lastPackets), damaged(one, frames(one)), nonsense(one)])
        if (chance.happens(0.2)) return inventPolls(chance, { from, hello, lasting, last })
        return inventFrames(chance, {
          hello: [
            { bytes: upgradeTo("/socket.io/?EIO=4&transport=websocket", from), inputs: 1 },
            { bytes: frameOf(hello, 1), after: "pingInterval" },
            { bytes: Buffer.alloc(0), after: "40{" },
          ],
          lasting: (one) => ({ bytes: lasting(one) }),
          ...{ question: Buffer.from('4299999["leave",""]'), sign: "4399999[" },
          last: (one) => ({ bytes: last(one), opcode: one.pick([1, 1, 2]) }),
        })
      },
      async expectAlive() {
        expect(program.child.exitCode).toBeNull()
        expect((await fetch(`${url}/api/health`)).status).toBe(200)
      },
    })
    console.log(program.output.text.slice(-3_000))
    // Next.js writes it, and the process goes on.
    expect(program.output.text).not.toContain("uncaughtException")
  })
})
