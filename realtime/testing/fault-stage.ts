import type { ChannelRef } from "../channel.ts"
import { createClient } from "../client/create-client.ts"
import type { TransportOptions } from "../client/create-realtime-client.ts"
import { createHttp } from "../client/http.ts"
import type { ChannelSubscription, RealtimeClient } from "../client/types.ts"
import { isRealtimeError, RealtimeError } from "../errors.ts"
import type { RealtimePublisher } from "../publisher.ts"
import type { ConnectionState, RealtimeTransport, TransportStatus } from "../transport.ts"
import {
  type ContractRealtime,
  contractChannels,
  createContractRealtime,
} from "./transport-contract/backend.ts"
import { freshName, textsOf } from "./transport-contract/check.ts"

export interface FaultStageOptions {
  publisher: RealtimePublisher
  createTransport(options: TransportOptions): RealtimeTransport
  /** Short where the provider never answers: the test is about what happens then, not about the wait. */
  deliveryTimeoutMs?: number
}

/** Answers a request for credentials in the server's place; undefined lets the server answer. */
export type Intercept = (body: Record<string, unknown>) => Response | undefined

/** One person's page: what the application there is shown. */
export interface Page {
  readonly client: RealtimeClient
  /** Every status of the connection, oldest first. */
  readonly statuses: TransportStatus[]
  readonly states: ConnectionState[]
  /** What went to `onError`. */
  readonly errors: RealtimeError[]
  join(ref: ChannelRef): { texts: string[]; subscription: ChannelSubscription; wasDetached: () => boolean }
}

/** A provider's two halves with all that either of them tells, for making things fail. */
export interface FaultStage extends AsyncDisposable {
  readonly realtime: ContractRealtime
  /** What the operator's log is told. */
  readonly told: { stage: string; error: RealtimeError }[]
  /** The bodies of all requests for credentials. */
  readonly requests: Record<string, unknown>[]
  intercept(answer: Intercept): void
  room(): ReturnType<typeof contractChannels.room>
  openPage(user?: { id: string }): Page
}

export function createFaultStage(options: FaultStageOptions): FaultStage {
  const { publisher, createTransport, deliveryTimeoutMs } = options
  const told: FaultStage["told"] = []
  const requests: Record<string, unknown>[] = []
  const clients: RealtimeClient[] = []
  let intercept: Intercept = () => undefined
  const realtime = createContractRealtime({
    publishers: [publisher],
    onError: (error, { stage }) => void told.push({ stage, error: asError(error) }),
    ...(deliveryTimeoutMs !== undefined && { deliveryTimeoutMs }),
  })

  function createPageHttp(user: { id: string }) {
    return createHttp({
      basePath: "http://contract.test/api/realtime",
      async fetch(input, init) {
        const request = new Request(input, init)
        if (request.url.includes("/credentials/")) {
          const body = (await request.clone().json()) as Record<string, unknown>
          // Pusher's sign-in is nobody's way in.
          if (body.kind !== "user") {
            requests.push(body)
            const answer = intercept(body)
            if (answer) return answer
          }
        }
        request.headers.set("x-contract-user", encodeURIComponent(JSON.stringify(user)))
        return request.method === "POST" ? realtime.handlers.POST(request) : realtime.handlers.GET(request)
      },
    })
  }

  return {
    realtime,
    told,
    requests,
    intercept(answer) {
      intercept = answer
    },
    room: () => contractChannels.room({ room: freshName() }),
    openPage(user = { id: "alice" }) {
      const http = createPageHttp(user)
      const statuses: TransportStatus[] = []
      const errors: RealtimeError[] = []
      const onError = (error: unknown) => void errors.push(asError(error))
      const transport = createTransport({
        config: publisher.clientConfig(),
        credentials: (body) => http.credentials(publisher.provider, body),
        onError,
      })
      transport.onStatus((status) => void statuses.push(status))
      const client = createClient({ transport, http, onError })
      clients.push(client)
      client.open()
      return {
        client,
        statuses,
        get states() {
          return statuses.map(({ state }) => state)
        },
        errors,
        join(ref) {
          const texts: string[] = []
          let detachments = 0
          const channel = client.channel(ref)
          let wasAttached = false
          channel.onStatus(() => {
            if (channel.status.state === "attached") wasAttached = true
            else if (wasAttached) detachments += 1
          })
          const subscription = channel.subscribe({
            onMessages: (messages) => void texts.push(...textsOf(messages)),
          })
          return { texts, subscription, wasDetached: () => detachments > 0 }
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()))
      await realtime.close()
    },
  }
}

function asError(error: unknown): RealtimeError {
  if (isRealtimeError(error)) return error
  return new RealtimeError("internal", { message: "not one of ours", cause: error })
}
