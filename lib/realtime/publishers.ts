import { RealtimeError } from "throughline"
import type { RealtimePublisher } from "throughline/server"
import { ownUrl } from "../env/local-addresses.ts"
import type { Env, ProviderName } from "../env/schema.ts"
import { currentRequest, requestIdHeader } from "../operations/request-context.ts"

/**
 * The server halves of the chosen providers, in every process the same: whatever is accepted in one goes out by all. Only those are
 * loaded: a cold start doesn't pay for the others. `gateway`: that of the bundled server, in its own process.
 */
export async function createPublishers(env: Env, gateway?: RealtimePublisher): Promise<RealtimePublisher[]> {
  const own = gateway?.provider
  if (own && !env.REALTIME_PROVIDER.some((provider) => provider === own)) {
    const message = `unable to start the gateway; REALTIME_PROVIDER doesn't list ${own}`
    throw new RealtimeError("invalid-config", { provider: own, message })
  }
  return Promise.all(
    env.REALTIME_PROVIDER.map((provider) =>
      gateway && provider === own ? gateway : createPublisher(provider, env),
    ),
  )
}

/** For a program that runs beside the app, on its machine: a gateway that is part of the app is reached at the app's own port. */
export const besideApp = (env: Env): Env =>
  env.SOCKET_URL ? env : { ...env, SOCKET_INTERNAL_URL: ownUrl(env) }

/** The gateway's log goes by the id of the request that the app is answering. */
function requestIdHeaders(): Record<string, string> {
  const id = currentRequest()?.id
  return id === undefined ? {} : { [requestIdHeader]: id }
}

async function createPublisher(provider: ProviderName, env: Env): Promise<RealtimePublisher> {
  switch (provider) {
    case "socketio": {
      const internalUrl = env.SOCKET_INTERNAL_URL ?? env.SOCKET_URL
      if (!internalUrl) {
        const message =
          "unable to reach the gateway; start the app by `npm run dev` or `npm start`, or set SOCKET_URL"
        throw new RealtimeError("invalid-config", { provider, message })
      }
      const { createSocketIoPublisher } = await import("throughline/socketio/server")
      return createSocketIoPublisher({
        internalUrl,
        publicUrl: env.SOCKET_URL,
        secret: env.SOCKET_INTERNAL_SECRET,
        headers: requestIdHeaders,
      })
    }
    case "pusher": {
      const { createPusherPublisher } = await import("throughline/pusher/server")
      return createPusherPublisher({
        appId: env.PUSHER_APP_ID ?? "",
        key: env.PUSHER_KEY ?? "",
        secret: env.PUSHER_SECRET ?? "",
        cluster: env.PUSHER_CLUSTER ?? "",
        host: env.PUSHER_HOST,
        port: env.PUSHER_PORT,
        tls: env.PUSHER_TLS,
      })
    }
    case "ably": {
      const { createAblyPublisher } = await import("throughline/ably/server")
      return createAblyPublisher({
        apiKey: env.ABLY_API_KEY ?? "",
        endpoint: env.ABLY_ENDPOINT,
        port: env.ABLY_PORT,
        tls: env.ABLY_TLS,
      })
    }
  }
}
