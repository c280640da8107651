import { ablyError } from "./errors.ts"
import { isRecord } from "./wire.ts"

/** ably/README.md §3.6. */
const OPERATIONS = [
  "annotation-publish",
  "annotation-subscribe",
  "channel-metadata",
  "history",
  "message-delete-any",
  "message-delete-own",
  "message-update-any",
  "message-update-own",
  "object-publish",
  "object-subscribe",
  "presence",
  "privileged-headers",
  "publish",
  "push-admin",
  "push-subscribe",
  "stats",
  "subscribe",
] as const

export type Operation = (typeof OPERATIONS)[number]

/** Whoever may see members on a socket, or be one, may read them over REST. */
export const READ_PRESENCE = ["subscribe", "presence"] as const

export type Capability = Record<string, string[]>

export const FULL_CAPABILITY: Capability = { "*": ["*"] }

/** §3.2: unknown operations, `*` mixed with others and empty lists are refused. */
export function parseCapability(input: unknown): Capability {
  let value = input
  if (typeof input === "string") {
    try {
      value = JSON.parse(input)
    } catch {
      throw ablyError(40000, "invalid capability: not JSON")
    }
  }
  if (!isRecord(value)) throw ablyError(40000, "invalid capability: not an object")
  const capability: Capability = {}
  for (const resource of Object.keys(value).sort()) {
    const given = value[resource]
    const operations = typeof given === "string" ? [given] : given
    if (!Array.isArray(operations) || operations.length === 0) {
      throw ablyError(40000, `invalid capability: no operations for ${JSON.stringify(resource)}`)
    }
    const unknown = operations.find((operation) => operation !== "*" && !OPERATIONS.includes(operation))
    if (unknown !== undefined)
      throw ablyError(40000, `invalid capability: unknown operation ${JSON.stringify(unknown)}`)
    if (operations.includes("*") && operations.length > 1)
      throw ablyError(40000, 'invalid capability: "*" stands alone')
    capability[resource] = [...operations].sort()
  }
  return capability
}

/** §3.2: per resource and operation, what both sides name; nothing in common is 40160. */
export function intersectCapabilities(requested: Capability, granted: Capability): Capability {
  const common = new Map<string, Set<string>>()
  for (const [wanted, wantedOperations] of Object.entries(requested)) {
    for (const [held, heldOperations] of Object.entries(granted)) {
      const resource = covers(held, wanted) ? wanted : covers(wanted, held) ? held : undefined
      if (resource === undefined) continue
      const operations = intersectOperations(wantedOperations, heldOperations)
      if (operations.length === 0) continue
      common.set(resource, new Set([...(common.get(resource) ?? []), ...operations]))
    }
  }
  if (common.size === 0)
    throw ablyError(40160, "the requested capability has nothing in common with the key's")
  return Object.fromEntries([...common.keys()].sort().map((key) => [key, operationsOf(common.get(key))]))
}

export function permits(capability: Capability, resource: string, operation: Operation): boolean {
  return Object.entries(capability).some(
    ([pattern, operations]) =>
      (operations.includes("*") || operations.includes(operation)) && covers(pattern, resource),
  )
}

/** Capability as it stands in TokenDetails: JSON text, sorted. */
export function formatCapability(capability: Capability): string {
  return JSON.stringify(capability)
}

/**
 * §3.6: wildcards replace whole `:`-separated segments; a last `*` any number of them, an inner `*` one. A `[qualifier]` prefix
 * has to match too, so `*` doesn't reach `[meta]` channels but `[*]*` does.
 */
function covers(pattern: string, resource: string): boolean {
  const [patternQualifier, patternName] = splitQualifier(pattern)
  const [qualifier, name] = splitQualifier(resource)
  if (patternQualifier !== "*" && patternQualifier !== qualifier) return false
  const wanted = patternName.split(":")
  const segments = name.split(":")
  return wanted.every((segment, index) => {
    if (segment === "*" && index === wanted.length - 1) return segments.length > index
    if (index === wanted.length - 1 && segments.length !== wanted.length) return false
    return segment === "*" ? segments[index] !== undefined : segment === segments[index]
  })
}

function splitQualifier(resource: string): [qualifier: string, name: string] {
  const match = /^\[([^\]]*)\](.*)$/s.exec(resource)
  return match ? [match[1] ?? "", match[2] ?? ""] : ["", resource]
}

function intersectOperations(one: string[], other: string[]): string[] {
  if (one.includes("*")) return other
  if (other.includes("*")) return one
  return one.filter((operation) => other.includes(operation))
}

function operationsOf(operations: Set<string> | undefined): string[] {
  return operations?.has("*") ? ["*"] : [...(operations ?? [])].sort()
}
