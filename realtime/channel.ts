import type { StandardSchemaV1 } from "@standard-schema/spec"
import { RealtimeError } from "./errors.ts"
import { isKeepable, isWellFormed } from "./text.ts"

/**
 * A schema of any library that follows Standard Schema. Its type is asked for no more than that: to compare
 * the rest, the compiler would have to work out the payloads of every event that is declared, used or not.
 */
interface StandardSchema {
  readonly "~standard": unknown
}

type Schemas = Record<string, StandardSchema>

/** The names between braces in a pattern: `ParamNames<"org:{org}:room:{room}">` is `"org" | "room"`. */
export type ParamNames<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never

/** What a pattern leaves open: `{ room: string }` of `room:{room}`. */
export type ChannelParams<Pattern extends string> = { [Name in ParamNames<Pattern>]: string }

/** As `ChannelParams`, of a definition. */
export type ParamsOf<Definition> = Definition extends { readonly pattern: infer Pattern extends string }
  ? ChannelParams<Pattern>
  : never

/** One concrete channel of a definition. What `publish`, `useChannel` and the others are handed. */
export interface ChannelRef<Definition extends AnyChannelDefinition = AnyChannelDefinition> {
  /** The definition that made it, by which payloads get their types. */
  readonly definition: Definition
  /** The name on our side of every provider, as in `room:42`. */
  readonly name: string
  /** What was filled in for the parameters of the pattern: `{ room: "42" }`. Not escaped. */
  readonly params: Readonly<Record<string, string>>
}

/**
 * A kind of channel: its name's pattern and what travels in it. Call it with the parameters to get a channel.
 */
export interface ChannelDefinition<
  Pattern extends string,
  Messages extends Schemas,
  Signals extends Schemas,
  Presence extends StandardSchema,
  State extends Schemas = Record<never, never>,
> {
  /**
   * Makes a channel: `room({ room: "42" })`. Throws a `TypeError` when a parameter is missing, empty or can't
   * be stored, or when the name gets longer than 512 characters.
   */
  (
    ...params: ParamNames<Pattern> extends never ? [] : [params: ChannelParams<Pattern>]
  ): ChannelRef<ChannelDefinition<Pattern, Messages, Signals, Presence, State>>
  /** As it was given to `defineChannel`. */
  readonly pattern: Pattern
  /** The schema of each message, by its event. */
  readonly messages: Messages
  /** The schema of each signal, by its event; `{}` where none was given. */
  readonly signals: Signals
  /** The schema of what people say of themselves while present; undefined: the channel has no presence. */
  readonly presence: Presence | undefined
  /** The schema of each key's value, by its key or pattern of keys; `{}` where none was given. */
  readonly state: State
  /** Which signals are of value only until the sender's next; `[]` where none was named. */
  readonly latest: readonly string[]
  /** Which signals server code hears, too; `[]` where none was named. */
  readonly heard: readonly string[]
}

/** Any definition, for what takes all of them. */
// biome-ignore lint/suspicious/noExplicitAny: the bound that every definition satisfies; parameters are contravariant
export type AnyChannelDefinition = ChannelDefinition<any, any, any, any, any>

type SchemasOf<Definition, Kind extends "messages" | "signals" | "state"> = Definition extends {
  readonly [K in Kind]: infer S
}
  ? S
  : never

/** The names of a definition's messages. */
export type MessageEvent<Definition> = keyof SchemasOf<Definition, "messages"> & string
/** The names of a definition's signals. */
export type SignalEvent<Definition> = keyof SchemasOf<Definition, "signals"> & string

/** What goes in: what a sender writes. */
export type MessageInput<Definition, Event extends MessageEvent<Definition>> = InferInput<
  SchemasOf<Definition, "messages">[Event]
>
/** What comes out: what the schema made of it. */
export type MessageOutput<Definition, Event extends MessageEvent<Definition>> = InferOutput<
  SchemasOf<Definition, "messages">[Event]
>
/** As `MessageInput`, of a signal. */
export type SignalInput<Definition, Event extends SignalEvent<Definition>> = InferInput<
  SchemasOf<Definition, "signals">[Event]
>
/** As `MessageOutput`, of a signal. */
export type SignalOutput<Definition, Event extends SignalEvent<Definition>> = InferOutput<
  SchemasOf<Definition, "signals">[Event]
>
/** What somebody says of themselves while they are present, as they write it. */
export type PresenceInput<Definition> = Definition extends { readonly presence: infer P | undefined }
  ? InferInput<P>
  : never
/** The same as the others see it: what the schema made of it. */
export type PresenceOutput<Definition> = Definition extends { readonly presence: infer P | undefined }
  ? InferOutput<P>
  : never

/** What a pattern of keys makes: `` `quote:${string}` `` of `"quote:{symbol}"`. */
type KeyOf<Pattern> = Pattern extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${KeyOf<After>}`
  : Pattern
/** The schema of one key; a key that is declared as it stands comes before the patterns that fit it. */
type StateSchemaOf<Definition, Key> = Key extends keyof SchemasOf<Definition, "state">
  ? SchemasOf<Definition, "state">[Key]
  : {
      [Pattern in keyof SchemasOf<Definition, "state">]: Key extends KeyOf<Pattern>
        ? SchemasOf<Definition, "state">[Pattern]
        : never
    }[keyof SchemasOf<Definition, "state">]

/** The keys of a definition's state. */
export type StateKey<Definition> = KeyOf<keyof SchemasOf<Definition, "state">> & string
/** What server code writes at a key. */
export type StateInput<Definition, Key extends StateKey<Definition>> = InferInput<
  StateSchemaOf<Definition, Key>
>
/** What a page sees there: what the schema made of it. */
export type StateOutput<Definition, Key extends StateKey<Definition>> = InferOutput<
  StateSchemaOf<Definition, Key>
>

type InferInput<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Schema> : never
type InferOutput<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<Schema> : never

/** The length of our channel names, in UTF-16 units. Providers with shorter limits get a digest. */
export const maxChannelNameLength = 512

// Reserved in our names: ":" separates, "{}" mark parameters in patterns, "%" escapes. Control characters and
// lone surrogates don't survive every transport. Everything else (Japanese, emoji, "/") stays readable.
const reservedInParam = /[%:{}\p{Cc}]/gu
const plainParam = /^[^%:{}\p{Cc}]*$/u
const literalPattern = /^[^%{}\p{Cc}]*$/u

function encodeParam(value: string): string {
  return value.replace(
    reservedInParam,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  )
}

function decodeParam(value: string): string | null {
  // Nearly all are: each request names a channel.
  if (plainParam.test(value)) return value
  const decoded = value.replace(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return encodeParam(decoded) === value ? decoded : null
}

/** Text and the names of parameters in turn, beginning and ending with text. */
const piecesOf = (pattern: string) => pattern.split(/\{([A-Za-z][A-Za-z0-9]*)\}/)
const literalsIn = (pieces: readonly string[]) => pieces.filter((_, index) => index % 2 === 0)
const namesIn = (pieces: readonly string[]) => pieces.filter((_, index) => index % 2 === 1)

/**
 * Declares a kind of channel once for both ends.
 *
 * `pattern` holds `{name}` for each parameter, as in `room:{room}`; a value may be any text but the empty one
 * and what no store keeps (NUL, half of a surrogate pair), and is escaped reversibly. `messages` (durable),
 * `signals` (short-lived), `presence` and `state` take schemas of any Standard Schema library; event names
 * and payload types are inferred from them, and payloads are validated at run time on the way in. `state` has
 * a schema for each key, as `phase`, or pattern of keys, as `quote:{symbol}`. `latest` names the signals that
 * the same page's next makes worthless, as where a pointer is: each page may send them as often as it likes,
 * and of what is too much the newest goes on, 20 times a second at most, 5 where the provider bills each.
 * `heard` names the signals that server code hears, by `onSignal` of `createRealtime`: on every provider they
 * pass the server.
 *
 * ```ts
 * export const room = defineChannel("room:{room}", {
 *   messages: { "text-sent": z.object({ text: z.string() }) },
 *   signals: { typing: z.object({ isTyping: z.boolean() }) },
 *   presence: z.object({ status: z.string() }),
 * })
 * room({ room: "42" }).name // "room:42"
 * ```
 */
export function defineChannel<
  const Pattern extends string,
  Messages extends Schemas,
  Signals extends Schemas = Record<never, never>,
  Presence extends StandardSchema = never,
  State extends Schemas = Record<never, never>,
>(
  pattern: Pattern,
  schemas: {
    messages: Messages
    signals?: Signals
    presence?: Presence
    state?: State
    latest?: readonly (keyof NoInfer<Signals> & string)[]
    heard?: readonly (keyof NoInfer<Signals> & string)[]
  },
): ChannelDefinition<Pattern, Messages, Signals, Presence, State> {
  const pieces = piecesOf(pattern)
  const literals = literalsIn(pieces)
  const names = namesIn(pieces)
  if (!literals.every((literal) => literalPattern.test(literal)) || pattern === "") {
    throw new TypeError(`unable to define the channel "${pattern}"; its pattern is malformed`)
  }
  if (
    new Set(names).size !== names.length ||
    literals.slice(1, -1).some((literal) => !literal.includes(":"))
  ) {
    throw new TypeError(
      `unable to define the channel "${pattern}"; parameters need distinct names and a ":" between`,
    )
  }
  const { signals = {} as Signals, latest = [], heard = [] } = schemas
  for (const [list, events] of Object.entries({ latest, heard })) {
    const undeclared = events.find((event) => !Object.hasOwn(signals, event))
    if (undeclared === undefined) continue
    throw new TypeError(
      `unable to define the channel "${pattern}"; \`${list}\` names "${undeclared}", which is none of its signals`,
    )
  }
  function format(params: Record<string, string> = {}): ChannelRef {
    const name = pieces
      .map((piece, index) => {
        if (index % 2 === 0) return piece
        const value = params[piece]
        if (typeof value !== "string" || value === "" || !isKeepable(value)) {
          throw new TypeError(
            `unable to name a channel of "${pattern}"; "${piece}" must be a text that isn't empty and that a store can keep`,
          )
        }
        return encodeParam(value)
      })
      .join("")
    if (name.length > maxChannelNameLength) {
      throw new TypeError(
        `unable to name a channel of "${pattern}"; the name passes ${maxChannelNameLength} characters`,
      )
    }
    return { definition: definition as AnyChannelDefinition, name, params }
  }

  const definition = Object.assign(format, {
    pattern,
    messages: schemas.messages,
    signals,
    presence: schemas.presence,
    state: schemas.state ?? {},
    latest,
    heard,
  }) as unknown as ChannelDefinition<Pattern, Messages, Signals, Presence, State>
  return definition
}

interface NameReader {
  matcher: RegExp
  names: readonly string[]
}

/** Of the definitions by which names are read: by most no name is, least of all in a page. */
const readers = /* @__PURE__ */ new WeakMap<AnyChannelDefinition, NameReader>()

function readerOf(definition: AnyChannelDefinition): NameReader {
  const pieces = piecesOf(definition.pattern)
  const escaped = literalsIn(pieces).map((literal) => literal.replace(/[\\^$.*+?()[\]|/-]/g, "\\$&"))
  const matcher = new RegExp(`^${escaped.join("([^:]+)")}$`, "su")
  const reader = { matcher, names: namesIn(pieces) }
  readers.set(definition, reader)
  return reader
}

/**
 * The parameters of a name that a definition made, as `{ room: "42" }` of `room:42`; null when it didn't make
 * it.
 */
export function matchChannel<Definition extends AnyChannelDefinition>(
  definition: Definition,
  name: string,
): ParamsOf<Definition> | null {
  if (name.length > maxChannelNameLength || !isWellFormed(name)) return null
  const { matcher, names } = readers.get(definition) ?? readerOf(definition)
  const values = matcher.exec(name)?.slice(1).map(decodeParam)
  if (!values?.every((value) => value !== null && isKeepable(value))) return null
  return Object.fromEntries(names.map((key, index) => [key, values[index]])) as ParamsOf<Definition>
}

/** The application's channels by name, as handed to `createRealtime` and `createRealtimeClient`. */
export type ChannelDefinitions = Record<string, AnyChannelDefinition>

/** A name that came from outside, resolved: which definition made it and with which parameters. */
export type ResolvedChannel<Definitions extends ChannelDefinitions = ChannelDefinitions> = {
  [Kind in keyof Definitions & string]: {
    /** The name under which the definition stands in `channels`. */
    kind: Kind
    /** The name of the channel: `room:42`. */
    name: string
    /** The parameters that the name holds, unescaped. */
    params: ParamsOf<Definitions[Kind]>
    /** The definition that makes such names. */
    definition: Definitions[Kind]
  }
}[keyof Definitions & string]

/** The definition that made a name. Throws `channel-unknown` when none did. */
export function resolveChannel<Definitions extends ChannelDefinitions>(
  definitions: Definitions,
  name: unknown,
): ResolvedChannel<Definitions> {
  if (typeof name === "string") {
    for (const [kind, definition] of Object.entries(definitions)) {
      const params = matchChannel(definition, name)
      if (params) return { kind, name, params, definition } as unknown as ResolvedChannel<Definitions>
    }
  }
  throw new RealtimeError("channel-unknown", {
    message: "unable to find the channel; no definition makes that name",
  })
}

/**
 * Runs a schema over a value from outside. Throws `event-unknown` without a schema and `invalid-payload` with
 * the first complaint and its path.
 */
export async function validate(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  what: string,
): Promise<unknown> {
  if (!schema)
    throw new RealtimeError("event-unknown", { message: `unable to accept ${what}; it isn't declared` })
  const result = await schema["~standard"].validate(value)
  if (!result.issues) return result.value
  const issue = result.issues[0]
  const path = issue?.path
    ?.map((part) => (typeof part === "object" ? String(part.key) : String(part)))
    .join(".")
  throw new RealtimeError("invalid-payload", {
    message: `unable to accept ${what}; ${path ? `"${path}": ` : ""}${issue?.message ?? "its shape is wrong"}`,
  })
}

/** The schema of an event, looking only at what was declared (never at `Object.prototype`). */
export function schemaOf(
  schemas: Record<string, StandardSchemaV1>,
  event: unknown,
): StandardSchemaV1 | undefined {
  return typeof event === "string" && Object.hasOwn(schemas, event) ? schemas[event] : undefined
}
