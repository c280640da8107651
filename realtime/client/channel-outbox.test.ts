import { contractChannels } from "throughline/testing"
import { expect, it } from "vitest"
import type { RealtimeError } from "../errors.ts"
import type { OutgoingMessage } from "../transport.ts"
import { createChannelOutbox } from "./channel-outbox.ts"

function setup() {
  const published: unknown[] = []
  const added: unknown[] = []
  const { publish, outbox } = createChannelOutbox(
    {
      ref: contractChannels.room({ room: "1" }),
      maxPayloadBytes: 20,
      outbox: {
        publish: async (...request: unknown[]) => void published.push(request),
        add: (channel: string, { id }: OutgoingMessage, error?: RealtimeError) =>
          void added.push([channel, id, error?.code]),
      } as never,
    },
    () => contractChannels.room as never,
  )
  return { publish, outbox, published, added }
}

it.each([
  ["an event that isn't declared", "sung", { text: "" }, "event-unknown"],
  ["one that every object has", "toString", { text: "" }, "event-unknown"],
  // Ten bytes of JSON around the text; one character of it is three.
  ["a payload of one byte too many", "said", { text: "あああ12" }, "message-too-large"],
])("refuses %s before it is sent, and shows it as refused", async (_, event, payload, code) => {
  const { publish, outbox, published, added } = setup()
  await expect(publish(event, payload)).rejects.toMatchObject({ code })
  const id = outbox.add(event, payload)
  expect(published).toEqual([])
  expect(added).toEqual([["room:1", id, code]])
})

it("hands on what is large enough by a hair, under the id that it was given, for 15 s by default", async () => {
  const { publish, outbox, published, added } = setup()
  const payload = { text: "あああ" }
  await publish("said", payload, { id: "own" })
  await publish("said", payload, { id: "own", timeoutMs: 1 })
  const message = { id: "own", event: "said", payload }
  expect(published).toEqual([
    ["room:1", message, 15_000],
    ["room:1", message, 1],
  ])
  expect(added).toEqual([])
  const id = outbox.add("said", payload)
  expect(added).toEqual([["room:1", id, undefined]])
})
