import { describe, expectTypeOf, it } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "./channel.ts"
import { followLocks } from "./client/follow-locks.ts"
import type { RealtimeClient } from "./client/types.ts"
import { watchState } from "./client/watch-state.ts"
import { lockMessages } from "./locks.ts"
import { throughline } from "./next/throughline.ts"
import { useLocks } from "./react/use-locks.ts"
import { createLocks, type Locks } from "./server/locks.ts"
import type { Realtime, SignalHandlers } from "./server/types.ts"

const room = defineChannel("room:{room}", {
  messages: { said: z.object({ text: z.string() }), counted: z.object({ n: z.coerce.number() }) },
  signals: { typing: z.object({ isTyping: z.boolean() }) },
  presence: z.object({ mood: z.string() }),
  state: {
    phase: z.enum(["open", "closed"]),
    "quote:{symbol}": z.object({ bid: z.number(), ask: z.number() }),
  },
})
const lobby = defineChannel("lobby", { messages: {} })
const channels = { room, lobby }

declare const realtime: Realtime<typeof channels>
declare const client: RealtimeClient

describe("a definition's types", () => {
  it("ask for the pattern's parameters, by name", () => {
    expectTypeOf(room).parameters.toEqualTypeOf<[params: { room: string }]>()
    expectTypeOf(lobby).parameters.toEqualTypeOf<[]>()
    // @ts-expect-error the parameter is called "room"
    room({ id: "1" })
    // @ts-expect-error "lobby" has none
    lobby({ room: "1" })
  })

  it("are made of schemas alone", () => {
    // @ts-expect-error no schema
    defineChannel("lobby", { messages: { said: "text" } })
    // @ts-expect-error no schema
    defineChannel("lobby", { messages: {}, signals: { typing: {} } })
    // @ts-expect-error no schema
    defineChannel("lobby", { messages: {}, presence: () => true })
  })

  it("name as `latest` what they declare as signals", () => {
    const signals = { moved: z.object({ x: z.number() }) }
    defineChannel("board", { messages: {}, signals, latest: ["moved"] })
    // @ts-expect-error no such signal
    defineChannel("board", { messages: {}, signals, latest: ["mvoed"] })
    // @ts-expect-error a message
    defineChannel("board", { messages: { said: z.string() }, latest: ["said"] })
  })

  it("reach the server's publish", () => {
    realtime.publish(room({ room: "1" }), "said", { text: "x" })
    // @ts-expect-error no such event
    realtime.publish(room({ room: "1" }), "shouted", { text: "x" })
    // @ts-expect-error the payload of another event
    realtime.publish(room({ room: "1" }), "said", { n: 1 })
    // @ts-expect-error signals aren't messages
    realtime.publish(room({ room: "1" }), "typing", { isTyping: true })
  })

  it("reach the browser's handlers, told apart by the event", () => {
    client.channel(room({ room: "1" })).subscribe({
      onMessages([message]) {
        if (message?.event === "said") expectTypeOf(message.payload).toEqualTypeOf<{ text: string }>()
        if (message?.event === "counted") expectTypeOf(message.payload).toEqualTypeOf<{ n: number }>()
      },
    })
    client.channel(room({ room: "1" })).onSignal("typing", ({ payload, from }) => {
      expectTypeOf(payload).toEqualTypeOf<{ isTyping: boolean }>()
      expectTypeOf(from.id).toBeString()
    })
    // @ts-expect-error no such signal
    client.channel(room({ room: "1" })).onSignal("said", () => {})
  })

  it("reach presence", () => {
    const { presence } = client.channel(room({ room: "1" }))
    presence.enter({ mood: "fine" })
    // @ts-expect-error another shape
    presence.enter({ mood: 1 })
    expectTypeOf(presence.snapshot?.members?.[0]?.data).toEqualTypeOf<{ mood: string } | undefined>()
  })

  it("reach server code that hears signals", () => {
    const handlers: SignalHandlers<typeof channels> = {
      room: {
        typing({ channel, event, payload, from }) {
          expectTypeOf(payload).toEqualTypeOf<{ isTyping: boolean }>()
          expectTypeOf(channel.params).toEqualTypeOf<Readonly<Record<string, string>> & { room: string }>()
          expectTypeOf(event).toEqualTypeOf<"typing">()
          expectTypeOf(from.id).toBeString()
          realtime.state(channel).set("phase", "open")
        },
      },
    }
    expectTypeOf(handlers).toMatchTypeOf<object>()
    // @ts-expect-error no such signal
    const _: SignalHandlers<typeof channels> = { room: { said: () => {} } }
  })

  it("take the channels of locks as any", () => {
    const doc = defineChannel("locks:{doc}", { messages: lockMessages, presence: z.object({}) })
    const locks: Locks = createLocks(() => layer)
    const layer = throughline({
      channels: { doc, room },
      identify: () => ({ id: "alice" }),
      authorize: (request) => locks.permits(request),
    })
    layer.publish(doc({ doc: "1" }), "lock-claimed", { lock: "title" })
    // @ts-expect-error the claim is missing
    layer.publish(doc({ doc: "1" }), "lock-released", { lock: "title" })
    locks.guard(doc({ doc: "1" }), "title", { token: 1, user: { id: "alice" } })
    const followed = followLocks(client.channel(doc({ doc: "1" })), { user: { id: "alice" } })
    expectTypeOf(followed.claim("title")).resolves.toBeNumber()
    useLocks(doc({ doc: "1" }))
    const more = defineChannel("more", {
      messages: { ...lockMessages, said: z.string() },
      presence: z.object({}),
    })
    useLocks(more())
  })

  it("let nobody ask another channel for locks", () => {
    // @ts-expect-error its definition has no `lock-claimed`
    followLocks(client.channel(room({ room: "1" })), { user: { id: "alice" } })
    // @ts-expect-error the same
    useLocks(room({ room: "1" }))
    // @ts-expect-error the same
    useLocks(lobby())
    const locks = createLocks(() => realtime)
    // @ts-expect-error the same
    locks.guard(room({ room: "1" }), "title", { token: 1, user: { id: "alice" } })
    // @ts-expect-error the same
    locks.holder(lobby(), "title")
    const half = defineChannel("half", { messages: { "lock-claimed": lockMessages["lock-claimed"] } })
    // @ts-expect-error no lock of it can be released
    useLocks(half())
  })

  it("reach the state, by key and by pattern of keys", () => {
    const state = realtime.state(room({ room: "1" }))
    state.set("phase", "open")
    state.set("quote:ABC", { bid: 1, ask: 2 })
    state.patch("quote:ABC", { bid: 1 })
    // @ts-expect-error no such key
    state.set("price", 1)
    // @ts-expect-error the value of another key
    state.set("phase", { bid: 1, ask: 2 })
    // @ts-expect-error a whole value is asked for
    state.set("quote:ABC", { bid: 1 })
    // @ts-expect-error no state is declared
    realtime.state(lobby()).set("phase", "open")
    const { values } = watchState(client.channel(room({ room: "1" })), ["phase", "quote:ABC"], () => {})
    expectTypeOf(values.phase).toEqualTypeOf<"open" | "closed" | undefined>()
    expectTypeOf(values["quote:ABC"]).toEqualTypeOf<{ bid: number; ask: number } | undefined>()
    // @ts-expect-error no such key
    watchState(client.channel(room({ room: "1" })), ["price"], () => {})
  })
})
