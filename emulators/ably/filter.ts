import { ablyError } from "./errors.ts"
import type { Message, ProtocolMessage } from "./protocol.ts"

/** Whether a message passes the filter of a derived channel (`[filter=…]name`, ably/README.md §5.1). */
export type MessageFilter = (message: Message) => boolean

/** The frame with the messages that pass; nothing if none does. */
export function filterFrame(filter: MessageFilter, frame: ProtocolMessage): ProtocolMessage | undefined {
  const messages = frame.messages?.filter(filter) ?? []
  return messages.length > 0 ? { ...frame, messages } : undefined
}

type Value = string | number | boolean | null | undefined

/**
 * The part of JMESPath that filters use: paths, literals ('text', `json`), comparisons, `!`, `&&`, `||`, parentheses,
 * `contains(a, b)` and `starts_with(a, b)`. Anything else is refused as the service refuses a malformed filter.
 */
export function compileFilter(expression: string): MessageFilter {
  const tokens = tokenize(expression)
  let at = 0
  const peek = () => tokens[at]
  const next = () => tokens[at++]

  function expect(token: string) {
    if (next() !== token) throw invalid(expression)
  }

  type Node = (fields: Record<string, unknown>) => Value

  function or(): Node {
    const left = and()
    if (peek() !== "||") return left
    next()
    const right = or()
    return (fields) => isTrue(left(fields)) || isTrue(right(fields))
  }

  function and(): Node {
    const left = comparison()
    if (peek() !== "&&") return left
    next()
    const right = and()
    return (fields) => isTrue(left(fields)) && isTrue(right(fields))
  }

  function comparison(): Node {
    const left = operand()
    const compare = COMPARE.get(peek() ?? "")
    if (!compare) return left
    next()
    const right = operand()
    return (fields) => compare(left(fields), right(fields))
  }

  function operand(): Node {
    const token = next()
    if (token === undefined) throw invalid(expression)
    if (token === "!") {
      const inner = operand()
      return (fields) => !isTrue(inner(fields))
    }
    if (token === "(") {
      const inner = or()
      expect(")")
      return inner
    }
    if (token.startsWith("'")) return () => token.slice(1, -1)
    if (token.startsWith("`")) {
      const literal = parseLiteral(token.slice(1, -1), expression)
      return () => literal
    }
    if (peek() === "(") return call(token)
    if (!/^[\w"]/.test(token)) throw invalid(expression)
    const path = token.split(".").map((part) => part.replace(/^"|"$/g, ""))
    return (fields) => lookUp(fields, path)
  }

  function call(name: string): Node {
    const test = FUNCTIONS.get(name)
    if (!test) throw invalid(expression)
    expect("(")
    const subject = or()
    expect(",")
    const argument = or()
    expect(")")
    return (fields) => test(String(subject(fields) ?? ""), String(argument(fields) ?? ""))
  }

  const root = or()
  if (at !== tokens.length) throw invalid(expression)
  return (message) => isTrue(root(fieldsOf(message)))
}

const COMPARE = new Map<string, (left: Value, right: Value) => boolean>([
  ["==", (left, right) => left === right],
  ["!=", (left, right) => left !== right],
  ["<", (left, right) => Number(left) < Number(right)],
  ["<=", (left, right) => Number(left) <= Number(right)],
  [">", (left, right) => Number(left) > Number(right)],
  [">=", (left, right) => Number(left) >= Number(right)],
])

const FUNCTIONS = new Map<string, (subject: string, argument: string) => boolean>([
  ["contains", (subject, argument) => subject.includes(argument)],
  ["starts_with", (subject, argument) => subject.startsWith(argument)],
])

function tokenize(expression: string): string[] {
  const pattern = /\s*('[^']*'|`[^`]*`|&&|\|\||[=!<>]=|[<>!(),]|(?:\w+|"[^"]*")(?:\.(?:\w+|"[^"]*"))*)/y
  const tokens: string[] = []
  const text = expression.trimEnd()
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (!match?.[1]) throw invalid(expression)
    tokens.push(match[1])
  }
  return tokens
}

/** What a filter can see: the event's name, who sent it, and the headers in its extras. */
function fieldsOf(message: Message): Record<string, unknown> {
  const { name, clientId, extras } = message
  return { name, clientId, extras, headers: extras?.headers }
}

function lookUp(fields: Record<string, unknown>, path: string[]): Value {
  let value: unknown = fields
  for (const part of path) {
    if (typeof value !== "object" || value === null) return null
    value = (value as Record<string, unknown>)[part]
  }
  return typeof value === "object" ? null : ((value as Value) ?? null)
}

/** Text, a number, true, false or null: an object may refuse to be compared. */
function parseLiteral(json: string, expression: string): Value {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw invalid(expression)
  }
  if (typeof value === "object" && value !== null) throw invalid(expression)
  return value as Value
}

function isTrue(value: Value): boolean {
  return value !== false && value !== null && value !== undefined && value !== ""
}

function invalid(expression: string) {
  return ablyError(40010, `invalid channel filter: ${expression}`)
}
