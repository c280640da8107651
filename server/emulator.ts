import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"

/** A service's emulator in this process, and the variables that lead an app to it. */
export interface Emulated extends AsyncDisposable {
  url: string
  env: Record<string, string>
  /** Nobody connects, and nobody is connected, until it is ended. */
  startOutage(): () => void
}

/**
 * Starts Pusher's or Ably's emulator on a free port of this machine, with one app whose webhooks go to the chat at
 * `appUrl`.
 */
export async function startEmulator(provider: string, appUrl: string): Promise<Emulated> {
  const webhooks = [{ url: `${appUrl}/api/realtime/webhooks/${provider}` }]
  if (provider === "pusher") {
    const emulator = await startPusherEmulator({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", subscriptionCount: true, webhooks }],
    })
    const { appId, key, secret, host, port } = emulator.serverOptions()
    const env = {
      REALTIME_PROVIDER: provider,
      PUSHER_APP_ID: appId,
      PUSHER_KEY: key,
      PUSHER_SECRET: secret,
      PUSHER_CLUSTER: "mt1",
      PUSHER_HOST: host,
      PUSHER_PORT: port,
      PUSHER_TLS: "false",
    }
    return {
      url: emulator.url,
      env,
      startOutage() {
        const outage = emulator.faults.inject({ kind: "cut", on: "connect" })
        emulator.dropConnections()
        return () => outage.remove()
      },
      [Symbol.asyncDispose]: () => emulator.close(),
    }
  }
  if (provider === "ably") {
    const emulator = await startAblyEmulator({
      apps: [{ keys: [{ secret: "app-secret", revocableTokens: true }], webhooks }],
    })
    const { endpoint, port } = emulator.clientOptions
    const env = {
      REALTIME_PROVIDER: provider,
      ABLY_API_KEY: emulator.key,
      ABLY_ENDPOINT: endpoint,
      ABLY_PORT: String(port),
      ABLY_TLS: "false",
    }
    return {
      url: emulator.url,
      env,
      startOutage() {
        const outage = emulator.faults.add({ fault: "refuse-connection", code: 50003, statusCode: 503 })
        emulator.dropConnections()
        return () => void emulator.faults.remove(outage.id)
      },
      [Symbol.asyncDispose]: () => emulator.close(),
    }
  }
  throw new TypeError(`unable to emulate "${provider}"; there are emulators of pusher and ably`)
}
