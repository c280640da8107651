import { type } from "arktype"
import { defineChannel } from "throughline"
import * as v from "valibot"
import * as z from "zod"
import * as mini from "zod/mini"

/** The same channel in each schema library: a text that is sent trimmed, so what goes in and what comes out differ. */
export const zodRoom = defineChannel("zod:{room}", {
  messages: { "text-sent": z.object({ text: z.string().trim().max(20), at: z.coerce.number() }) },
  signals: { typing: z.object({ isTyping: z.boolean() }) },
  presence: z.object({ status: z.string() }),
})

export const miniRoom = defineChannel("mini:{room}", {
  messages: {
    "text-sent": mini.object({
      text: mini.string().check(mini.trim(), mini.maxLength(20)),
      at: mini.coerce.number(),
    }),
  },
  signals: { typing: mini.object({ isTyping: mini.boolean() }) },
  presence: mini.object({ status: mini.string() }),
})

export const valibotRoom = defineChannel("valibot:{room}", {
  messages: {
    "text-sent": v.object({
      text: v.pipe(v.string(), v.trim(), v.maxLength(20)),
      at: v.pipe(v.unknown(), v.transform(Number), v.number()),
    }),
  },
  signals: { typing: v.object({ isTyping: v.boolean() }) },
  presence: v.object({ status: v.string() }),
})

export const arktypeRoom = defineChannel("arktype:{room}", {
  messages: {
    "text-sent": type({ text: "string.trim |> string <= 20", at: "number | string.numeric.parse" }),
  },
  signals: { typing: type({ isTyping: "boolean" }) },
  presence: type({ status: "string" }),
})

export const rooms = { zodRoom, miniRoom, valibotRoom, arktypeRoom }
