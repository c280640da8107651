import { expect, it } from "vitest"
import fc from "../../realtime/testing/fast-check.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "ボブ" }

const found = async ({ search }: TestProcess, roomId: string, query: string) =>
  (await search.find(roomId, query)).results.map(({ text }) => text)

describeStores("search", (use) => {
  it("finds words, beginnings, and any part of what is written without spaces", () =>
    use(async ({ main }) => {
      const { say } = writerOf(main, "one")
      const japanese = "明日の東京タワー集合、１０時でお願いします"
      const english = "Deploying Next.js to the server tomorrow"
      for (const text of [japanese, english, "今日は京都", "🎉🎉 リリース"]) await say(alice, text)
      for (const query of [
        "東京",
        "東京タワー",
        "タワー集合",
        "明日",
        "の",
        "す",
        "10時",
        "ﾀﾜｰ",
        "東京 集合",
        "願いします",
      ])
        expect([query, await found(main, "one", query)]).toEqual([query, [japanese]])
      for (const query of [
        "deploy",
        "NEXT.JS",
        "ｎｅｘｔ",
        "next.js to",
        "server dep",
        "tomorrow",
        "the SERVER tom",
      ])
        expect([query, await found(main, "one", query)]).toEqual([query, [english]])
      expect(await found(main, "one", "京")).toEqual(["今日は京都", japanese])
      expect(await found(main, "one", "🎉")).toEqual(["🎉🎉 リリース"])
      for (const query of ["東都", "京東", "ploying", "next-the", "tomorrow server x", "nextjs", "zzz"])
        expect([query, await found(main, "one", query)]).toEqual([query, []])
    }))

  it("finds what was edited by its new text alone, and never what was deleted, erased or is elsewhere", () =>
    use(async ({ main }) => {
      const [one, two] = [writerOf(main, "one"), writerOf(main, "two")]
      const edited = await one.say(alice, "old wording")
      const deleted = await one.say(alice, "a deleted secret")
      await one.say(bob, "an erased secret")
      await two.say(alice, "a secret elsewhere")
      expect(await found(main, "one", "secret")).toEqual(["an erased secret", "a deleted secret"])
      await one.edit(alice, edited.id, "new phrasing")
      await one.remove(alice, deleted.id)
      await main.log.erase("bob")
      await main.rooms.forget("bob")
      expect(await found(main, "one", "old wording")).toEqual([])
      expect(await found(main, "one", "wording")).toEqual([])
      expect(await found(main, "one", "phrasing")).toEqual(["new phrasing"])
      expect(await found(main, "one", "secret")).toEqual([])
      expect(await found(main, "two", "secret")).toEqual(["a secret elsewhere"])
      expect(await found(main, "three", "secret")).toEqual([])
    }))

  it("answers with the newest first, page by page", () =>
    use(async ({ main }) => {
      const { say } = writerOf(main, "one")
      const said = []
      for (let n = 0; n < 65; n += 1) said.push(await say(n % 2 ? alice : bob, `number ${n}`))
      const first = await main.search.find("one", "number")
      expect(first.results).toHaveLength(30)
      const newest = said.at(-1)
      expect(first.results[0]).toEqual({
        ...{ id: newest?.id, seq: newest?.seq, at: newest?.at, text: "number 64" },
        from: bob,
      })
      const all = [...first.results]
      for (let { next } = first; next !== null; ) {
        const page = await main.search.find("one", "number", next)
        all.push(...page.results)
        next = page.next
      }
      expect(all.map(({ text }) => text)).toEqual(said.map((_, n) => `number ${64 - n}`))
    }))

  it("takes any query for text", () =>
    use(async ({ main }) => {
      const { say } = writerOf(main, "one")
      await say(alice, "nothing to see: drop table message_index")
      const queries = [
        ...[
          "'",
          '"',
          "''",
          '"" OR ""',
          "' OR 1=1 --",
          "a'::tsquery",
          "\\",
          "\\'",
          "a & | ! b",
          "a:*",
          "<->",
          "(((",
          "NEAR(a b)",
        ],
        ...[
          "a AND NOT b",
          "words:a",
          "^a",
          "*",
          "a*",
          "-a",
          "+a",
          "{a b}: c",
          ";DROP TABLE message_index",
          "$1",
          "?",
          "%",
          "_",
        ],
        ...[
          "\0",
          "a\0b",
          "\ud800",
          "\udfffx",
          "\u202e",
          "ß",
          "İ",
          "ﷺ".repeat(500),
          "x".repeat(4_000),
          "あ".repeat(4_000),
        ],
        ...[
          "a ".repeat(2_000),
          "'a' ".repeat(1_000),
          "👩‍👩‍👧".repeat(600),
          `z${"\u0335".repeat(4_000)}`,
          ":",
          ":lobby",
          " ".repeat(4_000),
        ],
      ]
      for (const query of queries) await expect(main.search.find("one", query)).resolves.toBeDefined()
      const anything = fc.asyncProperty(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string()),
        async (query) => {
          await main.search.find("one", query)
        },
      )
      await fc.assert(anything, { numRuns: 200 })
      expect(await found(main, "one", "DROP TABLE message_index")).toHaveLength(1)
    }))

  it("finds whatever part of a text is searched for, down to the middle of its last word", () =>
    use(async ({ main }) => {
      const { say } = writerOf(main, "one")
      const word = fc.oneof(
        fc.string({ unit: fc.constantFrom(..."abcdeéßñж"), minLength: 1, maxLength: 8 }),
        fc.string({
          unit: fc.constantFrom(..."東京都大阪日本あいうがぎアイウーガ々"),
          minLength: 1,
          maxLength: 8,
        }),
        fc.string({ unit: fc.constantFrom("한", "국", "어", "ก้า", "น้ำ", "ไทย"), minLength: 1, maxLength: 6 }),
        fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 5 }),
        fc.constantFrom("🎉", "👩‍👩‍👧", "🇯🇵", "iPhone15を買う", "C++", "Next.js", "ＡＢＣ", "ｶﾞｷﾞ"),
      )
      const separator = fc.constantFrom(" ", " ", "、", "。", "-", ".", "\n", "", "!? ", "　")
      const text = fc.array(fc.tuple(word, separator), { minLength: 1, maxLength: 12 })
      const property = fc.asyncProperty(text, fc.nat(), fc.nat(), fc.nat(), async (parts, a, b, c) => {
        const said = parts.flat().join("")
        await say(alice, said)
        // From the beginning of a word on, to any place in one that comes later.
        const from = a % parts.length
        const to = from + (b % (parts.length - from))
        const middle = parts.slice(from, to).flat().join("")
        const [last] = parts[to] as [string, string]
        const graphemes = [...new Intl.Segmenter().segment(last)].map(({ segment }) => segment)
        const query = `${middle}${graphemes.slice(0, 1 + (c % graphemes.length)).join("")}`
        // A query whose last word goes on in the text only matches if nothing was glued to its first one.
        fc.pre(from === 0 || (parts[from - 1] as [string, string])[1] !== "")
        const { results } = await main.search.find("one", query)
        expect(results.map(({ text }) => text)).toContain(said)
      })
      await fc.assert(property, { numRuns: 150 })
    }))
})
