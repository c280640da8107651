import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { encode } from "@msgpack/msgpack"
import { afterAll, beforeAll, expect, it } from "vitest"
import type { Chance } from "../realtime/testing/chance.ts"
import { anything, nearly, word } from "../realtime/testing/fuzz/inputs.ts"
import {
  createNonsense,
  createTexts,
  damaged,
  deepBetween,
  fuzzListener,
  fuzzRun,
  inspectorOf,
  inventFrames,
  inventRequests,
  upgradeTo,
} from "../realtime/testing/fuzz/wire.ts"
import { waitFor, waitLimit } from "../realtime/testing/wait-for.ts"
import { isTooDeep } from "./depth.ts"
import fc from "./fast-check.ts"

// A program that starts on a busy machine takes its time.
waitLimit.ms = 120_000

const { seed } = fuzzRun

interface Ready {
  pusher: { port: number; url: string }
  ably: { port: number; url: string; keys: string[] }
}

const output = { text: "" }
const program = spawn(
  process.execPath,
  [
    "--inspect=127.0.0.1:0",
    join(import.meta.dirname, "cli.ts"),
    "--pusher-port=0",
    "--ably-port=0",
    "--json",
    "--seed=1",
  ],
  { stdio: ["ignore", "pipe", "pipe"] },
)
for (const stream of [program.stdout, program.stderr])
  stream.on("data", (data: Buffer) => {
    output.text = (output.text + data).slice(-100_000)
  })
let ready: Ready
let inspector: string

beforeAll(async () => {
  inspector = await inspectorOf(output)
  ready = await waitFor(() => {
    const line = output.text.split("\n").find((one) => one.startsWith("{"))
    return line === undefined ? null : (JSON.parse(line) as Ready)
  }, "the emulators")
})
afterAll(async () => {
  program.kill("SIGTERM")
  if (program.exitCode === null) await once(program, "exit")
  expect(output.text).not.toMatch(/unable to answer/)
})

const channels = word(
  "private-a",
  "presence-a",
  "private-encrypted-a",
  "cache-a",
  "room",
  "mutable:room",
  ":bad",
  "[meta]log",
)
const nameFlood = fc.integer({ min: 0, max: 1_000_000 }).map((n) => `room-${n}`)
const channel = fc.oneof({ weight: 3, arbitrary: channels }, { weight: 1, arbitrary: nameFlood })
const control = [
  "/__emulator/",
  "/__emulator/%",
  "/__emulator/toString",
  "/__emulator/__proto__",
  "/__emulator/connections",
  "/__emulator/state",
]

async function serves(url: string) {
  const answer = await fetch(url)
  expect(answer.status).toBeLessThan(500)
  await answer.arrayBuffer()
  expect(program.exitCode).toBeNull()
}

const pusherText = (...events: string[]) =>
  nearly({
    event: word(...events),
    channel,
    data: fc.oneof(
      nearly({ channel, auth: fc.string(), channel_data: fc.string(), user_data: fc.string() }),
      anything,
    ),
  }).map((frame) => JSON.stringify(frame))

const item = nearly({
  ...{
    name: word("m"),
    data: fc.oneof(fc.string(), anything),
    encoding: word("json", "base64", "utf-8/base64", "vcdiff"),
  },
  ...{
    clientId: word("ann", "*"),
    extras: anything,
    id: word("a:0", "a:1"),
    action: fc.integer({ min: -1, max: 7 }),
  },
  ...{
    serial: fc.string(),
    messageSerial: fc.string(),
    type: word("a:total.v1", "a:unique.v1"),
    version: anything,
  },
})
const items = fc.oneof(fc.array(item, { maxLength: 3 }), anything)
/** Actions that don't end a connection. */
const action = fc.constantFrom(-1, 0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 15, 15, 16, 19, 20, 21, 25)
const msgSerial = fc.nat({ max: 50_000 })
const rest = nearly({
  channel,
  channelSerial: fc.string(),
  flags: fc.nat(),
  params: fc.dictionary(word("rewind", "modes", "occupancy", "delta"), fc.string()),
  ...{ messages: items, presence: items, annotations: items, auth: anything },
})
const ablyFrame = fc
  .tuple(action, msgSerial, rest)
  .map(([action, msgSerial, others]) => ({ action, msgSerial, ...others }))
const declared = [
  ...[0xdc, 0xdd, 0xde, 0xdf, 0xdb, 0xc6, 0xc9].map((type) => Buffer.from([type, 0xff, 0xff, 0xff, 0xff])),
  Buffer.concat(Array(60).fill(Buffer.from([0xdd, 0x00, 0xff, 0xff, 0xff]))),
  Buffer.concat(Array(60_000).fill(Buffer.from([0xdc, 0xff, 0x00]))),
  Buffer.alloc(100_000, 0x91),
  Buffer.alloc(100_000, 0x81),
]

const deepEvents = deepBetween('{"event":"client-a","channel":"private-a","data":', "}")
const deepFrames = [
  ...deepBetween('{"action":15,"msgSerial":1,"channel":"room","messages":[{"name":"m","data":', "}]}"),
  ...deepBetween('{"action":15,"msgSerial":1,"channel":"room","messages":[{"name":"m","extras":', "}]}"),
  ...deepBetween('{"action":14,"msgSerial":1,"channel":"room","presence":[{"action":2,"data":', "}]}"),
]

it("Pusher's emulator takes whatever comes", { timeout: 3_600_000 }, async () => {
  const texts = createTexts(
    seed,
    pusherText("pusher:subscribe", "pusher:unsubscribe", "pusher:ping", "pusher:pong", "client-a"),
  )
  const signins = createTexts(seed, pusherText("pusher:signin"))
  const damagedText = (chance: Chance) => Buffer.from(damaged(chance, texts(chance)).toString())
  const nonsense = createNonsense(seed)
  const short = (chance: Chance) => nonsense(chance).subarray(0, 10_000)
  const addresses = [
    "/apps/1/events",
    "/apps/1/batch_events",
    "/apps/1/channels",
    "/apps/1/channels/room",
    "/apps/1/users/a/terminate_connections",
    "/apps/1/channels/presence-a/users",
    "/apps/2/events",
    "/apps/1/events?auth_key=app-key&auth_timestamp=1&auth_version=1.0",
    "/app/app-key",
    ...control,
  ]
  const headers = [
    "Content-Type: application/json\r\n",
    "X-Pusher-Key: app-key\r\n",
    "Expect: 100-continue\r\n",
  ]
  await fuzzListener({
    ...{ name: "Pusher's emulator", port: ready.pusher.port, inspector },
    invent(chance) {
      if (chance.happens(0.4))
        return inventRequests(chance, {
          addresses,
          headers,
          body: (one) => (one.happens(0.5) ? texts(one) : short(one)),
        })
      const address = chance.happens(0.9) ? "/app/app-key?protocol=7" : chance.pick(addresses)
      return inventFrames(chance, {
        hello: [
          { bytes: upgradeTo(address), inputs: 1 },
          { bytes: Buffer.alloc(0), after: "\r\n\r\n" },
        ],
        // Only what is too long, binary or no text, and signing in as nobody ends a connection of Pusher's.
        lasting: (one) => ({
          bytes: one.happens(0.2) ? damagedText(one) : one.happens(0.1) ? short(one) : texts(one),
        }),
        question: Buffer.from('{"event":"pusher:subscribe","data":{"channel":"all-read"}}'),
        sign: "all-read",
        last: (one) => ({
          bytes: one.pick([nonsense(one), one.pick(deepEvents), signins(one), damaged(one, texts(one))]),
          opcode: one.pick([1, 2]),
        }),
      })
    },
    expectAlive: () => serves(`${ready.pusher.url}/__emulator/state`),
  })
})

it("Ably's emulator takes whatever comes", { timeout: 3_600_000 }, async () => {
  const [key = ""] = ready.ably.keys
  // What it keeps for two minutes or more it keeps for two seconds here, so that it need not be waited for.
  const windows = [
    "continuityWindow",
    "persistedWindow",
    "idempotencyWindow",
    "connectionStateTtl",
    "presenceLeaveDelay",
  ]
  const limits = {
    ...Object.fromEntries(windows.map((name) => [name, 2_000])),
    maxInboundRate: 1_000_000,
    maxChannelRate: 1_000_000,
  }
  const set = await fetch(`${ready.ably.url}/__emulator/limits`, {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(limits) },
  })
  expect(set.status).toBe(204)
  const frames = fc.sample(ablyFrame, { seed, numRuns: 8_000 }).filter((frame) => !isTooDeep(frame))
  const texts = createTexts(
    seed,
    fc.constantFrom(...frames.map((frame) => JSON.stringify(frame))),
    '{"action":15'.length,
  )
  // A connection ends with a frame that is too long, and with a map of this key, which MessagePack's decoder refuses.
  const lastingFrames = frames.filter((frame) => {
    const text = JSON.stringify(frame)
    return text.length < 100_000 && !text.includes('"__proto__":')
  })
  const binary = (chance: Chance, from = lastingFrames) =>
    encode(
      {
        ...chance.pick(from),
        channel: `room-${chance.between(0, 100_000)}`,
        msgSerial: chance.between(0, 50_000),
      },
      { ignoreUndefined: true },
    )
  const nonsense = createNonsense(seed)
  /** Each is the last that a connection takes. */
  const last = (chance: Chance) => {
    const [text, bytes] = [texts(chance), Buffer.from(binary(chance, frames))]
    return chance.pick([
      { bytes: damaged(chance, text), opcode: 1 },
      { bytes: damaged(chance, bytes), opcode: 2 },
      { bytes: nonsense(chance), opcode: chance.pick([1, 2]) },
      { bytes: chance.pick(declared), opcode: 2 },
      { bytes: chance.pick(deepFrames), opcode: 1 },
      { bytes: Buffer.from(chance.pick(['{"action":7}', '{"action":5}', '{"action":17}'])), opcode: 1 },
    ])
  }
  const addresses = [
    "/channels/room/messages",
    "/channels/mutable%3Aroom/messages/x",
    "/channels/room/presence",
    "/channels/room",
    "/channels",
    "/messages",
    "/presence",
    "/time",
    "/stats",
    "/keys/x/requestToken",
    `/keys/${key.split(":")[0]}/requestToken`,
    "/comet/connect",
    "/comet/x/recv",
    "/comet/x/send",
    `/channels/room/messages?key=${key}`,
    "/channels/%E0%A4%A/messages",
    ...control,
  ]
  const headers = [
    "Content-Type: application/json\r\n",
    "Content-Type: application/x-msgpack\r\n",
    "Accept: application/x-msgpack\r\n",
    `Authorization: Basic ${Buffer.from(key).toString("base64")}\r\n`,
    "Authorization: Bearer x.y.z\r\n",
    "X-Ably-Version: 2\r\n",
  ]
  await fuzzListener({
    ...{ name: "Ably's emulator", port: ready.ably.port, inspector },
    invent(chance) {
      const body = (one: Chance) => (one.happens(0.5) ? texts(one) : last(one).bytes.subarray(0, 20_000))
      if (chance.happens(0.3)) return inventRequests(chance, { addresses, headers, body })
      const format = chance.pick(["json", "msgpack"])
      const address = chance.happens(0.95)
        ? `/?key=${key}&v=6&format=${format}&clientId=ann`
        : chance.pick(addresses)
      return inventFrames(chance, {
        hello: [
          { bytes: upgradeTo(address), inputs: 1 },
          { bytes: Buffer.alloc(0), after: "\r\n\r\n" },
        ],
        lasting: (one) =>
          one.happens(0.5) ? { bytes: texts(one) } : { bytes: Buffer.from(binary(one)), opcode: 2 },
        ...{ question: Buffer.from('{"action":0,"id":"all-read"}'), sign: "all-read" },
        last,
      })
    },
    expectAlive: () => serves(`${ready.ably.url}/time`),
  })
})
