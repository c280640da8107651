import { defineChannel } from "throughline"
import type { RealtimeClient } from "throughline/client"
import { openDocument, type SharedDocument, shareAwareness, yjsAwareness, yjsUpdate } from "throughline/yjs"
import { expectTypeOf, test } from "vitest"
import type { Doc } from "yjs"
import * as z from "zod/mini"

declare const client: RealtimeClient
declare const doc: Doc

const documents = defineChannel("document:{document}", {
  messages: { update: yjsUpdate(), commented: z.object({ text: z.string() }) },
  signals: { awareness: yjsAwareness(), waved: z.object({}) },
  latest: ["awareness"],
  presence: z.object({ name: z.string() }),
  state: { title: z.string() },
})
const notes = defineChannel("note:{note}", {
  messages: { update: yjsUpdate() },
  signals: { waved: z.object({}) },
})
const room = defineChannel("room:{room}", { messages: { said: z.string() } })

test("a document is opened in any channel that carries updates, whatever else is in it", () => {
  expectTypeOf(openDocument(client.channel(documents({ document: "1" })))).toEqualTypeOf<SharedDocument>()
  expectTypeOf(openDocument(client.channel(notes({ note: "1" })))).toEqualTypeOf<SharedDocument>()
  // @ts-expect-error it carries none
  openDocument(client.channel(room({ room: "1" })))
})

test("awareness is shared in any channel that carries it", () => {
  shareAwareness(client.channel(documents({ document: "1" })), doc)
  // @ts-expect-error it carries none
  shareAwareness(client.channel(notes({ note: "1" })), doc)
})
