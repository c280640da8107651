/**
 * pusher-js's own integration specs, which its package ships and its authors run against the service, run here unmodified
 * against the emulator. Their host, their auth server and jasmine are stood in for; their waits of five and ten seconds
 * "because there is no easy way to know" end when everything that was said has been heard.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import PusherJs from "pusher-js"
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { createServerLibrary, until } from "./test-clients.ts"

const specs = createRequire(import.meta.url).resolve(
  "pusher-js/spec/javascripts/integration/core/pusher_spec/test_builder.js",
)
const requireBesideSpecs = createRequire(specs)

/** The key is the one that the specs name. */
const emulator = await startPusherEmulator({
  apps: [{ id: "1", key: "c49a449b916bb4246729", secret: "secret" }],
})
afterAll(() => emulator.close())
const library = createServerLibrary(emulator)
const clients: PusherJs[] = []
const triggers: Promise<unknown>[] = []

/** As `integration_tests_server` of the package authorizes: with data, whatever the channel. */
function createClient(key: string) {
  const client = new PusherJs(key, {
    ...emulator.clientOptions(),
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => {
        const user_info = { name: `Integration ${socketId}`, email: `integration-${socketId}@example.com` }
        callback(null, library.authorizeChannel(socketId, channelName, { user_id: socketId, user_info }))
      },
    },
  })
  clients.push(client)
  return client
}

/** Both directions of every connection keep their order, so a pong comes after all that was on its way. */
async function settle(): Promise<void> {
  await Promise.all(triggers)
  // Twice: what comes with the first may be answered, as a cancelled subscription is.
  for (let round = 0; round < 2; round += 1) {
    for (const { connection } of clients) {
      const isPonged = new Promise<void>((resolve) => {
        connection.bind("message", ({ event }: { event: string }) => event === "pusher:pong" && resolve())
      })
      connection.send_event("pusher:ping", {})
      await isPonged
    }
  }
}

function createSpy() {
  const spy = vi.fn()
  return Object.assign(spy, {
    calls: { count: () => spy.mock.calls.length },
    and: { returnValue: (value: unknown) => spy.mockReturnValue(value) },
  })
}

const transports = { ws: { isSupported: () => true } }
const modules: Record<string, unknown> = {
  pusher_integration: createClient,
  integration: {
    getRandomName: (prefix: string) => `${prefix}_${crypto.randomUUID()}`,
    sendAPIMessage: ({ channel, event, data }: { channel: string; event: string; data: unknown }) =>
      triggers.push(library.trigger(channel, event, data)),
  },
  "core/utils/collections": {
    objectApply: (object: object, apply: (value: unknown, name: string) => void) => {
      for (const [name, value] of Object.entries(object)) apply(value, name)
    },
  },
  runtime: { default: { Transports: transports } },
  "../../../helpers/waitsFor": (condition: () => unknown) => until(condition),
}

const scope = {
  module: { exports: {} as { build(config: { forceTLS: boolean; transport: string }): void } },
  require: (name: string) => modules[name] ?? requireBesideSpecs(name),
  describe,
  it,
  expect,
  beforeAll,
  beforeEach,
  afterAll,
  jasmine: { createSpy, DEFAULT_TIMEOUT_INTERVAL: 0 },
  spyOn(object: Record<string, unknown>, name: string) {
    const spy = createSpy()
    object[name] = spy
    return spy
  },
  setTimeout: (callback: () => void) => void settle().then(callback),
}

describe("pusher-js's own integration specs", () => {
  new Function(...Object.keys(scope), readFileSync(specs, "utf8"))(...Object.values(scope))
  scope.module.exports.build({ forceTLS: false, transport: "ws" })
})
