import PusherJs from "pusher-js"
import { describeTransportContract } from "throughline/testing"
import { describe } from "vitest"
import { createBreakableWebSocket } from "../../realtime/testing/breakable-websocket.ts"
import { createPusherBackend } from "../../realtime/testing/pusher-backend.ts"
import { waitLimit } from "../../realtime/testing/wait-for.ts"
import { parseEnv } from "../env/schema.ts"

/**
 * `npm run test:live`: the whole contract over the real services, for each whose keys are in the environment. They also
 * take the addresses of others: `PUSHER_HOST` of a Reverb or Sockudo, `ABLY_ENDPOINT`.
 */
// Ably holds a person who vanished for 15 s, Pusher until it misses a pong.
waitLimit.ms = 90_000

const variables = {
  pusher: ["PUSHER_APP_ID", "PUSHER_KEY", "PUSHER_SECRET", "PUSHER_CLUSTER"],
  ably: ["ABLY_API_KEY"],
}
const network = createBreakableWebSocket()

function describeLive(provider: keyof typeof variables, run: () => void): void {
  const missing = variables[provider].filter((name) => !process.env[name])
  if (missing.length > 0) console.warn(`${provider}, live: skipped, since ${missing.join(", ")} isn't set`)
  describe.skipIf(missing.length > 0)(`${provider}, live`, run)
}

const envOf = (provider: string) =>
  parseEnv({ ...process.env, REALTIME_PROVIDER: provider, SESSION_SECRET: "x".repeat(64) })

describeLive("pusher", () => {
  describeTransportContract({
    name: "pusher, live",
    async start() {
      const env = envOf("pusher")
      const { Runtime } = PusherJs as unknown as { Runtime: { createWebSocket(url: string): WebSocket } }
      Runtime.createWebSocket = (url) => new network.WebSocket(url)
      return createPusherBackend({
        options: {
          appId: env.PUSHER_APP_ID ?? "",
          key: env.PUSHER_KEY ?? "",
          secret: env.PUSHER_SECRET ?? "",
          cluster: env.PUSHER_CLUSTER ?? "",
          host: env.PUSHER_HOST,
          port: env.PUSHER_PORT,
          tls: env.PUSHER_TLS,
        },
        ...network,
        close: async () => {},
      })
    },
  })
})

describeLive("ably", () => {
  describeTransportContract({
    name: "ably, live",
    async start() {
      const env = envOf("ably")
      // The SDK takes the WebSocket that it finds when it is loaded.
      globalThis.WebSocket = network.WebSocket
      const { createAblyBackend } = await import("../../realtime/testing/ably-backend.ts")
      return createAblyBackend({
        options: {
          apiKey: env.ABLY_API_KEY ?? "",
          endpoint: env.ABLY_ENDPOINT,
          port: env.ABLY_PORT,
          tls: env.ABLY_TLS,
        },
        ...network,
        close() {},
      })
    },
  })
})
