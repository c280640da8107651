"use client"
import { type ReactNode, useEffect, useState } from "react"
import {
  createRealtimeClient,
  type RealtimeClientOptions,
  type TransportFactory,
} from "../client/create-realtime-client.ts"
import { logError } from "../errors.ts"
import type { User } from "../message.ts"
import { UserContext } from "./context.ts"
import { RealtimeProvider } from "./provider.tsx"
import { askSession } from "./session.ts"

/** What a provider's door for browsers exports, `throughline/socketio/client` and the like. */
export interface ProviderModule {
  /** Makes the provider's connection. */
  createTransport: TransportFactory
}

/** What `<Throughline>` takes. */
export interface ThroughlineProps {
  /** `await realtime.config()`, of the server. */
  config: RealtimeClientOptions["config"]
  /**
   * Who is signed in, as the server's `identify` says; null for nobody, who has no connection.
   * Absent: the page asks the server, once it is shown and whenever its layout is loaded again,
   * so that the layout needn't know.
   */
  user?: User | null | undefined
  /** All that uses the hooks. */
  children: ReactNode
}

/** Of `createRealtimeClient`, what isn't the server's to say. */
export type CreateThroughlineOptions = Pick<
  RealtimeClientOptions,
  "presenceGraceMs" | "headCheck" | "failover" | "tracing" | "onError"
>

/**
 * Browser: makes the component that connects a page, for the layout: one connection for all that
 * is below it. Hand it one loader for each provider whose packages are installed; only the code
 * of the one in use is downloaded.
 *
 * ```tsx
 * "use client"
 * export const Throughline = createThroughline({ socketio: () => import("throughline/socketio/client") })
 * ```
 *
 * Call it once, in a module. Rendering throws a `TypeError` when no loader fits the server's choice.
 */
export function createThroughline(
  loaders: Readonly<Record<string, () => Promise<ProviderModule>>>,
  options: CreateThroughlineOptions = {},
) {
  const providers = Object.fromEntries(
    Object.entries(loaders).map(([name, load]) => [name, async () => (await load()).createTransport]),
  )
  const { onError = logError } = options

  const create = (config: ThroughlineProps["config"], owner: string | undefined) => ({
    owner,
    client: createRealtimeClient({ ...options, config, providers, ...(owner !== undefined && { owner }) }),
  })

  return function Throughline({ config, user: given, children }: ThroughlineProps) {
    const [asked, setAsked] = useState<User | null>(null)
    const user = given === undefined ? asked : given
    const [held, setHeld] = useState(() => create(config, user?.id))
    // Another person's page is another client's.
    if (held.owner !== user?.id) setHeld(create(config, user?.id))

    useEffect(() => {
      if (given !== undefined) return
      const stop = new AbortController()
      askSession(config.basePath, stop.signal, onError).then(
        (found) =>
          setAsked((before) => (before?.id === found?.id && before?.name === found?.name ? before : found)),
        (error: unknown) => {
          if (!stop.signal.aborted) onError(error, { stage: "ask who is signed in" })
        },
      )
      return () => stop.abort()
    }, [config, given])

    return (
      <UserContext value={user}>
        <RealtimeProvider client={held.client} isIdle={user === null}>
          {children}
        </RealtimeProvider>
      </UserContext>
    )
  }
}
