import { inspect, isDeepStrictEqual } from "node:util"
import type { ChannelRef } from "../../channel.ts"
import { type ClientOptions, createClient } from "../../client/create-client.ts"
import type { RealtimeClient } from "../../client/types.ts"
import type { RealtimeError } from "../../errors.ts"
import type {
  Cursor,
  LogPage,
  PresenceSnapshot,
  Signal,
  SignalOrigin,
  User,
  WireMessage,
} from "../../message.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { waitFor } from "../wait-for.ts"
import { type ContractBackend, contractChannels, createContractHttp } from "./backend.ts"

export type RoomRef = ReturnType<typeof contractChannels.room>

/** One promise of the contract, as a sentence, and how to see that it is kept. */
export interface ContractCheck {
  /** The suite that it belongs to, as in `delivery`. */
  suite: string
  /** The promise, as a sentence. */
  name: string
  /** Resolves when the promise is kept; rejects with what was seen instead. */
  run(stage: Stage): Promise<void>
}

/** Declares the checks of one suite. */
export function suite(
  name: string,
  checks: Record<string, (stage: Stage) => Promise<void>>,
): ContractCheck[] {
  return Object.entries(checks).map(([sentence, run]) => ({ suite: name, name: sentence, run }))
}

export const alice: User = { id: "alice", name: "Alice" }
export const bob: User = { id: "bob", name: "ボブ" }
export const carol: User = { id: "carol" }

/** As the page of a bare transport's signals. */
export const origin: SignalOrigin = { page: "a bare page", n: 1 }

/** A bare transport's view of one channel. */
export interface Probe {
  /** What `subscribe` returned. */
  readonly subscription: TransportSubscription
  /** Every message that was handed over, in order. */
  readonly messages: WireMessage[]
  /** Every signal that was handed over, in order. */
  readonly signals: Signal[]
  /** Who was there, each time it was told. */
  readonly snapshots: PresenceSnapshot[]
  /** Each refusal. */
  readonly denied: RealtimeError[]
  /** The pages that came with an attachment. */
  readonly pages: LogPage[]
  /** How often it was attached. */
  attachments: number
  /** How often it was detached. */
  detachments: number
  /** What the observer answers to `cursor()`. */
  cursor: Cursor | null
}

/** What a check plays with: a running backend, and people who connect to it. */
export interface Stage {
  /** The provider, started for this check alone. */
  readonly backend: ContractBackend
  /** Where background failures went. */
  readonly errors: unknown[]
  /** A room that no other check uses. */
  room(): RoomRef
  /** A transport that is connected. */
  connect(user: User): Promise<RealtimeTransport>
  /** Joins a channel and waits until it is attached. */
  probe(transport: RealtimeTransport, ref: ChannelRef): Promise<Probe>
  /** Joins without waiting. */
  startProbe(transport: RealtimeTransport, ref: ChannelRef): Probe
  /** The delivery contract over a transport of this user: what an application has in its hands. */
  openClient(user: User, transport?: ClientOptions["transport"], http?: ClientOptions["http"]): RealtimeClient
}

/** Live services remember the rooms of earlier runs. */
const runId = crypto.randomUUID().slice(0, 8)
let names = 0
/** A name that no other check uses. */
export function freshName(what = "room"): string {
  names += 1
  return `${what}-${runId}-${names}`
}

/** Runs one check on a backend of its own, and takes both down again, whatever came of it. */
export async function withStage(
  start: () => Promise<ContractBackend>,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  await using backend = await start()
  const errors: unknown[] = []
  const clients: RealtimeClient[] = []
  const transports: RealtimeTransport[] = []

  function startProbe(transport: RealtimeTransport, ref: ChannelRef): Probe {
    const probe = { messages: [], signals: [], snapshots: [], denied: [], pages: [] } as unknown as {
      -readonly [Key in keyof Probe]: Probe[Key]
    }
    Object.assign(probe, { attachments: 0, detachments: 0, cursor: null })
    probe.subscription = transport.subscribe(ref.name, {
      cursor: () => probe.cursor,
      onAttached(page) {
        probe.attachments += 1
        if (page) probe.pages.push(page)
      },
      onDetached() {
        probe.detachments += 1
      },
      onDenied: (error) => void probe.denied.push(error),
      onMessages: (messages) => void probe.messages.push(...messages),
      onSignal: (signal) => void probe.signals.push(signal),
      onPresence: (snapshot) => void probe.snapshots.push(snapshot),
    })
    return probe
  }

  try {
    await run({
      backend,
      errors,
      room: () => contractChannels.room({ room: freshName() }),
      async connect(user) {
        const transport = backend.createTransport(user)
        transports.push(transport)
        transport.connect()
        await waitFor(() => transport.status.state === "connected", "the connection")
        return transport
      },
      startProbe,
      async probe(transport, ref) {
        const probe = startProbe(transport, ref)
        await waitFor(() => probe.attachments > 0, "the attachment")
        return probe
      },
      openClient(
        user,
        transport = () => backend.createTransport(user),
        http = createContractHttp(backend.realtime, user),
      ) {
        const client = createClient({
          transport,
          http,
          presenceGraceMs: 1_500,
          onError: (error) => errors.push(error),
        })
        client.open()
        clients.push(client)
        return client
      },
    })
  } finally {
    await Promise.all(clients.map((client) => client.close()))
    await Promise.all(transports.map((transport) => transport.close()))
  }
}

/**
 * What must not arrive can only be waited for by something that does, later: publishes a last message and
 * sees it. Resolves with the texts that came before it.
 */
export async function settle(stage: Stage, probe: Probe, ref: RoomRef): Promise<string[]> {
  const last = freshName("settled")
  await stage.backend.realtime.publish(ref, "said", { text: last })
  return waitFor(() => {
    const texts = textsOf(probe.messages)
    return texts.at(-1) === last && texts.slice(0, -1)
  }, "the last message")
}

export const textsOf = (messages: readonly { payload?: unknown }[]): string[] =>
  messages.map(({ payload }) => String((payload as { text?: unknown } | undefined)?.text))

/** An assertion that reads as a sentence and needs no test runner. */
export function expect(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${what}: expected ${inspect(expected)}, got ${inspect(actual)}`)
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<RealtimeError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ("error" in outcome) return outcome.error as RealtimeError
  throw new Error(`expected a rejection, got ${inspect(outcome.value)}`)
}
