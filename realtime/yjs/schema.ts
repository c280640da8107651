import type { StandardSchemaV1 } from "@standard-schema/spec"
import { fromBase64 } from "../base64.ts"
import type { JsonValue } from "../json.ts"
import { issueOf, type YjsUpdate } from "./update-parts.ts"

/** What `yjsUpdate()` makes. */
export type YjsUpdateSchema = StandardSchemaV1<YjsUpdate, YjsUpdate>

const fail = (message: string) => ({ issues: [{ message }] })

/**
 * Both ends: the schema of a document's messages, which its definition has under the name `update`. On the
 * server each update is decoded before it is taken: what isn't one is refused with `invalid-payload`. Of one
 * that comes in parts each is taken as it is; readers decode the whole before they apply any of it. Pages
 * don't download the decoder for it.
 *
 * ```ts
 * const documents = defineChannel("document:{document}", {
 *   messages: { update: yjsUpdate() },
 *   signals: { awareness: yjsAwareness() },
 *   latest: ["awareness"],
 * })
 * ```
 */
export function yjsUpdate(): YjsUpdateSchema {
  return {
    "~standard": {
      version: 1,
      vendor: "throughline",
      async validate(value) {
        const issue = issueOf(value)
        if (issue) return fail(issue)
        const { update, part } = value as YjsUpdate
        try {
          const bytes = fromBase64(update)
          if (!part) (await import("./check-update.ts")).checkUpdate(bytes)
        } catch {
          return fail(`"update" isn't an update of Yjs`)
        }
        return { value: part ? { update, part: { ...part } } : { update } }
      },
    },
  }
}

/** The payload of a document's awareness signals: what one page tells of itself. */
export interface YjsAwareness {
  /** The page's `clientID` in the document. */
  client: number
  /** Grows with each change. */
  clock: number
  /** Where the caret is, and the like; null: the page has left. */
  state: { [name: string]: JsonValue } | null
  /** The page knows nobody yet: whoever is there says so again. */
  asks?: boolean | undefined
}

/** What `yjsAwareness()` makes. */
export type YjsAwarenessSchema = StandardSchemaV1<YjsAwareness, YjsAwareness>

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/**
 * Both ends: the schema of a document's awareness signals, which its definition has under the name
 * `awareness`, and names in `latest`.
 */
export function yjsAwareness(): YjsAwarenessSchema {
  return {
    "~standard": {
      version: 1,
      vendor: "throughline",
      validate(value) {
        const { client, clock, state, asks } = (value ?? {}) as { [Name in keyof YjsAwareness]?: unknown }
        if (!isCount(client) || !isCount(clock)) return fail(`"client" and "clock" have to be whole numbers`)
        if (typeof state !== "object" || Array.isArray(state))
          return fail(`"state" has to be an object or null`)
        const told = { client, clock, state: state as YjsAwareness["state"] }
        return { value: asks === true ? { ...told, asks } : told }
      },
    },
  }
}
