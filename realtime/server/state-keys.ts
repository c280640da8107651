import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { AnyChannelDefinition } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import { maxKeyLength } from "../state.ts"
import { isKeepable } from "../text.ts"

interface Pattern {
  matcher: RegExp
  schema: StandardSchemaV1
}

/** Those of each definition, in the order of declaration. */
const patternsOf = new WeakMap<object, Pattern[]>()

function compile(definition: AnyChannelDefinition): Pattern[] {
  const known = patternsOf.get(definition)
  if (known) return known
  const schemas = definition.state as Record<string, StandardSchemaV1>
  const patterns = Object.entries(schemas).flatMap(([pattern, schema]): Pattern[] => {
    const literals = pattern.split(/\{[A-Za-z][A-Za-z0-9]*\}/)
    if (literals.length === 1) return []
    const escaped = literals.map((literal) => literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
    return [{ matcher: new RegExp(`^${escaped.join("(.+)")}$`, "su"), schema }]
  })
  patternsOf.set(definition, patterns)
  return patterns
}

/**
 * The schema of a key: that of the key as it stands, else that of the first pattern that fits. Throws
 * `invalid-request` for what can be no key, and `event-unknown` where none is declared.
 */
export function stateSchemaOf(definition: AnyChannelDefinition, key: unknown): StandardSchemaV1 {
  const isKey = typeof key === "string" && key !== "" && key.length <= maxKeyLength && isKeepable(key)
  if (!isKey) {
    throw new RealtimeError("invalid-request", {
      message: `unable to use a key; it must be well-formed text of 1 to ${maxKeyLength} characters`,
    })
  }
  const schemas = definition.state as Record<string, StandardSchemaV1>
  const exact = Object.hasOwn(schemas, key) ? schemas[key] : undefined
  const found = exact ?? compile(definition).find(({ matcher }) => matcher.test(key))?.schema
  if (found) return found
  throw new RealtimeError("event-unknown", { message: `unable to use the key "${key}"; it isn't declared` })
}
