import { RealtimeError } from "../errors.ts"
import type { Environment, ProviderName } from "./environment.ts"
import { peers } from "./peers.ts"

/**
 * Starts the emulators of what is named without keys, says where they are, and returns the environment that
 * leads to them, and what ends them. Where there is no address for a provider's webhooks, it sends none.
 */
export async function emulate(
  environment: Environment,
  webhookUrl: (provider: ProviderName) => string | undefined,
): Promise<{ environment: Environment; close(): Promise<void> }> {
  const changed: Partial<Environment> = {}
  const started: Emulated[] = []
  const close = async () => void (await Promise.all(started.map(({ close }) => close())))
  for (const provider of environment.emulated) {
    const emulated = await start[provider](webhookUrl(provider)).catch(async (error: unknown) => {
      await close()
      throw error
    })
    started.push(emulated)
    Object.assign(changed, emulated.environment)
    console.log(
      `[realtime] REALTIME_PROVIDER names ${provider} and its keys aren't set: its emulator runs on ${emulated.url}`,
    )
  }
  return {
    environment: { ...environment, ...changed },
    close,
  }
}

interface Emulated {
  url: string
  environment: Partial<Environment>
  close(): Promise<void>
}

const webhooksTo = (url: string | undefined) => (url === undefined ? [] : [{ url }])

const start: Record<ProviderName, (webhookUrl: string | undefined) => Promise<Emulated>> = {
  socketio() {
    throw new RealtimeError("invalid-config", { message: "unable to emulate socketio; it is no service" })
  },
  async pusher(webhookUrl) {
    const startPusherEmulator = await peers.pusherEmulator()
    const emulator = await startPusherEmulator({
      apps: [
        {
          id: "1",
          key: "app-key",
          secret: "app-secret",
          subscriptionCount: true,
          webhooks: webhooksTo(webhookUrl),
        },
      ],
    })
    const { appId, key, secret, host, port } = emulator.serverOptions()
    const pusher = { appId, key, secret, cluster: "mt1", host, port: Number(port), tls: false }
    return { url: emulator.url, environment: { pusher }, close: () => emulator.close() }
  },
  async ably(webhookUrl) {
    const startAblyEmulator = await peers.ablyEmulator()
    const emulator = await startAblyEmulator({
      apps: [{ keys: [{ secret: "app-secret", revocableTokens: true }], webhooks: webhooksTo(webhookUrl) }],
    })
    const { endpoint, port } = emulator.clientOptions
    const ably = { apiKey: emulator.key, endpoint, port, tls: false }
    return { url: emulator.url, environment: { ably }, close: () => emulator.close() }
  },
}
