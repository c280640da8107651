import fc from "fast-check"

/** Words that the code looks for, and such as a program that reads objects carelessly falls over. */
export const word = (...known: string[]) =>
  fc.oneof(
    fc.constantFrom(...known),
    fc.constantFrom("__proto__", "constructor", "toString", ""),
    fc.string(),
  )

/** Thousands of levels, thousands of keys or a megabyte: what a parser should survive and a schema refuse. */
export const bomb: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer({ min: 100, max: 1_000 }).map((depth) => {
    let value: unknown = 1
    for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
    return value
  }),
  fc
    .integer({ min: 100, max: 10_000 })
    .map((keys) => Object.fromEntries(Array.from({ length: keys }, (_, index) => [`key ${index}`, index]))),
  fc.integer({ min: 1_000, max: 1_000_000 }).map((length) => "x".repeat(length)),
  fc.constant(JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')),
)

const json = fc.jsonValue({ maxDepth: 3 })

/** Any JSON; now and then far too much of it. */
export const anything = fc.oneof({ weight: 50, arbitrary: json }, { weight: 1, arbitrary: bomb })

/** Text that is JSON, as deep as no program writes it and any stranger may. */
export const deepText = fc
  .tuple(fc.integer({ min: 1_000, max: 100_000 }), fc.constantFrom(["[", "]"], ['{"a":', "}"]))
  .map(([depth, [open, close]]) => `${open?.repeat(depth)}1${close?.repeat(depth)}`)

/** Any text, often JSON. */
export const anyText = fc.oneof(
  { weight: 30, arbitrary: anything.map((value) => JSON.stringify(value) ?? "") },
  { weight: 10, arbitrary: fc.string() },
  { weight: 1, arbitrary: deepText },
)

/** An object that has some of these fields right and others wrong. */
export const nearly = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, right]) => [
        name,
        fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: anything }),
      ]),
    ),
    { requiredKeys: [] },
  )

const user = nearly({ id: word("alice", "bob"), name: fc.string() })
const channel = word("room:1", "room:", "room:%F0%9F%98%80", "vault:1", "nothing:1")

/** A message as it travels, or nearly. */
export const message = nearly({
  ...{ id: fc.uuid(), channel, event: word("said", "anything"), payload: nearly({ text: fc.string() }) },
  ...{ from: user, seq: fc.integer(), epoch: fc.string(), at: fc.integer() },
})

export const outgoing = nearly({
  id: fc.uuid(),
  event: word("said", "anything"),
  payload: nearly({ text: fc.string() }),
})
export const messages = fc.oneof(fc.array(outgoing, { maxLength: 3 }), anything)
export const signal = nearly({
  ...{ id: fc.uuid(), channel, event: word("typing"), payload: nearly({ isTyping: fc.boolean() }) },
  ...{ from: user, at: fc.integer() },
})
export { channel, user }
