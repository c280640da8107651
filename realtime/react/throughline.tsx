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
import { recallUser, rememberUser } from "./remembered-user.ts"
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
   * so that the layout needn't know. While the server can't be asked, it is whom it named the last time in
   * this browser, whom the page remembers in `localStorage` until the server names somebody else, or nobody.
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
    const [asked, setAsked] = useState<Asked>(notAsked)
    const user = given === undefined ? asked.user : given
    const [held, setHeld] = useState(() => create(config, user?.id))
    // Another person's page is another client's.
    if (held.owner !== user?.id) setHeld(create(config, user?.id))
    const { basePath } = config
    const { connection } = held.client
    const isRemembered = given === undefined && user !== null && !asked.isAnswered

    useEffect(() => {
      if (given !== undefined) {
        if (recallUser(basePath, onError)?.id !== given?.id) rememberUser(basePath, null, onError)
        return
      }
      const stop = new AbortController()
      const onAway = (remembered: User | null) =>
        // Whom the server has named in this page stays.
        setAsked((before) => (before.isAnswered ? before : withUser(before, remembered)))
      askSession(basePath, stop.signal, onError, onAway).then(
        (found) => setAsked((before) => ({ ...withUser(before, found), isAnswered: true })),
        (error: unknown) => {
          if (stop.signal.aborted) return
          onAway(null)
          onError(error, { stage: "ask who is signed in" })
        },
      )
      return () => stop.abort()
    }, [config, given, asked.refusals])

    useEffect(() => {
      if (!isRemembered) return
      return connection.subscribe(() => {
        if (connection.status.error?.code !== "session-changed") return
        // The connection reached the server first: it is somebody else, and the server is asked at once who.
        rememberUser(basePath, null, onError)
        setAsked(({ refusals }) => ({ ...notAsked, refusals: refusals + 1 }))
      })
    }, [isRemembered, connection, basePath])

    return (
      <UserContext value={user}>
        <RealtimeProvider client={held.client} isIdle={user === null}>
          {children}
        </RealtimeProvider>
      </UserContext>
    )
  }
}

/** What is known of the person where the layout doesn't say. */
interface Asked {
  user: User | null
  /** The server said so in this page; otherwise `user` is whom the browser remembers. */
  isAnswered: boolean
  /** How often the server refused whom the browser remembers. */
  refusals: number
}

const notAsked: Asked = { user: null, isAnswered: false, refusals: 0 }

/** The same user as an object, too, while nothing of them is another. */
const withUser = (before: Asked, user: User | null): Asked =>
  before.user?.id === user?.id && before.user?.name === user?.name ? before : { ...before, user }
