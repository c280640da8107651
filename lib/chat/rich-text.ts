/** What a person typed, as what is shown. Text is text: there is no node that could hold markup. */
export type RichBlock =
  | { kind: "paragraph"; children: RichInline[] }
  | { kind: "quote"; children: RichBlock[] }
  | { kind: "code-block"; language: string; text: string }

export type RichInline =
  | { kind: "text"; text: string }
  | { kind: "strong" | "emphasis" | "strike"; children: RichInline[] }
  | { kind: "code"; text: string }
  | { kind: "link"; url: string; text: string }
  | { kind: "mention"; id: string; text: string }

/** Somebody who is mentioned, by the name that the text calls them by. */
export interface Mentioned {
  id: string
  name: string
}

/** Deeper nesting says nothing more, and a page that is nested by the thousand breaks. */
const maxInlineDepth = 6
const maxQuoteDepth = 3
const maxUrlLength = 2048

/**
 * Reads `**strong**`, `*emphasis*`, `_emphasis_`, `~~strike~~`, `` `code` ``, fenced code, `> quotes`, links and mentions.
 * Whatever isn't exactly one of these stays as it was typed. Never throws; takes time linear in the length of the text.
 */
export function parseRichText(text: string, mentioned: readonly Mentioned[] = []): RichBlock[] {
  // Of two names that begin alike the longer one is meant.
  const people = [...mentioned].sort((a, b) => b.name.length - a.name.length)
  return toBlocks(text.split("\n"), people, 0)
}

/** What it says, without its marks: for where a text is quoted in a line, or read aloud. */
export const plainTextOf = (text: string) => parseRichText(text).map(textOfBlock).join("\n")

const textOfBlock = (block: RichBlock): string =>
  block.kind === "code-block"
    ? block.text
    : block.kind === "quote"
      ? block.children.map(textOfBlock).join("\n")
      : textOfInlines(block.children)

const textOfInlines = (nodes: readonly RichInline[]): string =>
  nodes.map((node) => ("children" in node ? textOfInlines(node.children) : node.text)).join("")

const quoted = /^>(?: |$)/
const fence = /^```([^`]*)$/
const languageName = /^[\w+#.-]{1,20}$/

function toBlocks(lines: readonly string[], people: readonly Mentioned[], depth: number): RichBlock[] {
  const blocks: RichBlock[] = []
  let paragraph: string[] = []
  /** Where the last fence of these lines ends: what opens after it is never closed. */
  const lastFence = lines.findLastIndex((line) => line.trimEnd().endsWith("```"))

  function endParagraph(): void {
    if (paragraph.length === 0) return
    const children = paragraph.flatMap((line, index) => {
      const inline = toInline(line, people)
      return index === 0 ? inline : [{ kind: "text", text: "\n" } as const, ...inline]
    })
    blocks.push({ kind: "paragraph", children: joinTexts(children) })
    paragraph = []
  }

  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ""
    const opening = index < lastFence ? fence.exec(line) : null
    if (opening) {
      endParagraph()
      const [, label = ""] = opening
      const language = languageName.test(label.trim()) ? label.trim() : ""
      const code = language === "" && label.trim() !== "" ? [label] : []
      for (index++; ; index++) {
        const next = (lines[index] ?? "").trimEnd()
        if (!next.endsWith("```")) {
          code.push(lines[index] ?? "")
          continue
        }
        if (next !== "```") code.push(next.slice(0, -3))
        break
      }
      blocks.push({ kind: "code-block", language, text: code.join("\n") })
    } else if (depth < maxQuoteDepth && quoted.test(line)) {
      endParagraph()
      const inside: string[] = []
      for (; quoted.test(lines[index] ?? ""); index++) inside.push((lines[index] ?? "").slice(2))
      index--
      blocks.push({ kind: "quote", children: toBlocks(inside, people, depth + 1) })
    } else {
      paragraph.push(line)
    }
  }
  endParagraph()
  return blocks
}

/** Where something other than text may begin. */
const marks = /`+|\*+|_+|~+|https?:\/\/|[@＠]/gi

/** A run of `*`, `_` or `~` that may open or close something; text until it does. */
interface Run {
  kind: "run"
  mark: string
  /** How many marks there were, and how many aren't used up. */
  length: number
  left: number
  canOpen: boolean
  canClose: boolean
}

type Part = RichInline | Run

/** For each mark, where in the parts the runs are that wait for their end. */
type Waiting = Record<string, number[]>

function toInline(line: string, people: readonly Mentioned[]): RichInline[] {
  const parts: Part[] = []
  const waiting: Waiting = { "*": [], _: [], "~": [] }
  /** Below here nothing waits for a run of this mark and length. */
  const floors = new Map<string, number>()
  /** Lengths of backtick runs that nothing on this line closes any more. */
  const unclosed = new Set<number>()
  let done = 0

  function take(part: Part, from: number, to: number): void {
    if (from > done) parts.push({ kind: "text", text: line.slice(done, from) })
    if (part.kind === "run") addRun(parts, part, waiting, floors)
    else parts.push(part)
    done = to
    marks.lastIndex = to
  }

  marks.lastIndex = 0
  for (let found = marks.exec(line); found; found = marks.exec(line)) {
    const [mark] = found
    const from = found.index
    const to = from + mark.length
    if (mark.startsWith("`")) {
      const end = mark.length > 3 || unclosed.has(mark.length) ? -1 : findCodeEnd(line, to, mark.length)
      if (end === -1) unclosed.add(mark.length)
      else take({ kind: "code", text: line.slice(to, end) }, from, end + mark.length)
    } else if (mark.endsWith("/")) {
      const { url, end } = urlAt(line, from)
      if (url === null) marks.lastIndex = end
      else take({ kind: "link", url, text: url }, from, end)
    } else if (mark === "@" || mark === "＠") {
      const person = mentionedAt(line, to, people)
      if (!person) continue
      const end = to + person.name.length
      take({ kind: "mention", id: person.id, text: line.slice(from, end) }, from, end)
    } else {
      const run = runAt(line, from, mark)
      if (run) take(run, from, to)
    }
  }
  if (done < line.length) parts.push({ kind: "text", text: line.slice(done) })
  return joinTexts(parts.map(asText))
}

/** Where a run of exactly so many backticks begins, or -1. */
function findCodeEnd(line: string, from: number, length: number): number {
  const runs = /`+/g
  runs.lastIndex = from
  for (let run = runs.exec(line); run; run = runs.exec(line)) if (run[0].length === length) return run.index
  return -1
}

const characterBefore = (line: string, index: number) =>
  [...line.slice(Math.max(0, index - 2), index)].at(-1) ?? ""
const characterAt = (line: string, index: number) => [...line.slice(index, index + 2)][0] ?? ""

/** Letters of scripts that put spaces between words. */
const spacedLetter =
  /(?![\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}])[\p{L}\p{N}]/u

/** What a single mark may enclose. Faces like `(*^_^*)`, `(*´ω｀*)` and `_(:3」∠)_` begin and end otherwise. */
const wordStart = /^[*_~]*(?!ﾟ)[\p{L}\p{N}\p{Sc}\p{Extended_Pictographic}"“‘「『（【《〈#@/]/u
const wordEnd =
  /(?!ﾟ)[\p{L}\p{N}\p{Sc}\p{Extended_Pictographic}\p{Emoji_Modifier}"”’」』）】》〉.,!?。、！？…%/]\p{M}*[*_~]*$/u

/**
 * A mark opens where a word begins and closes where one ends, so that `2*3*4` and `snake_case` stay. Where words follow
 * one another without a space, as in Japanese, that is anywhere.
 */
function runAt(line: string, from: number, mark: string): Run | null {
  const { length } = mark
  const sign = mark.charAt(0)
  const isMark = sign === "*" ? length <= 3 : length === (sign === "_" ? 1 : 2)
  if (!isMark) return null
  const to = from + length
  const before = characterBefore(line, from)
  const after = characterAt(line, to)
  const isSingle = length === 1
  const canOpen =
    after.trim() !== "" && !spacedLetter.test(before) && (!isSingle || wordStart.test(line.slice(to, to + 8)))
  const canClose =
    before.trim() !== "" &&
    !spacedLetter.test(after) &&
    (!isSingle || wordEnd.test(line.slice(Math.max(0, from - 8), from)))
  return canOpen || canClose ? { kind: "run", mark: sign, length, left: length, canOpen, canClose } : null
}

function addRun(parts: Part[], run: Run, waiting: Waiting, floors: Map<string, number>): void {
  const openers = waiting[run.mark] ?? []
  const floorKey = run.mark + run.length
  while (run.canClose && run.left > 0) {
    const floor = Math.min(floors.get(floorKey) ?? 0, openers.length)
    const index = openers.findLastIndex((at, place) => place >= floor && closes(run, parts[at]))
    if (index === -1) {
      floors.set(floorKey, openers.length)
      break
    }
    const at = openers[index] ?? 0
    const opener = parts[at] as Run
    const children = joinTexts(parts.slice(at + 1).map(asText))
    if (depthOf(children) >= maxInlineDepth) {
      // Whatever opened before would enclose this too.
      for (const list of Object.values(waiting)) list.length = 0
      break
    }
    // What opened in between, and wasn't closed, is text now.
    for (const list of Object.values(waiting)) while ((list.at(-1) ?? -1) > at) list.pop()
    parts.length = at + 1
    const length = Math.min(run.left, opener.left, 2)
    run.left -= length
    opener.left -= length
    if (opener.left === 0) {
      parts.pop()
      openers.pop()
    }
    parts.push({
      kind: run.mark === "~" ? "strike" : length === 2 ? "strong" : "emphasis",
      children,
    })
  }
  if (run.left === 0) return
  if (run.canOpen) openers.push(parts.length)
  parts.push(run)
}

/** Two and one don't match, but three are both. */
const closes = (run: Run, opener: Part | undefined) =>
  opener?.kind === "run" && (opener.left === run.left || opener.length === 3 || run.length === 3)

function depthOf(nodes: readonly RichInline[]): number {
  return nodes.reduce((most, node) => Math.max(most, "children" in node ? 1 + depthOf(node.children) : 0), 0)
}

const asText = (part: Part): RichInline =>
  part.kind === "run" ? { kind: "text", text: part.mark.repeat(part.left) } : part

function joinTexts(nodes: readonly RichInline[]): RichInline[] {
  const joined: RichInline[] = []
  for (const node of nodes) {
    const last = joined.at(-1)
    if (node.kind === "text" && last?.kind === "text") {
      joined[joined.length - 1] = { kind: "text", text: last.text + node.text }
    } else joined.push(node)
  }
  return joined
}

/**
 * What a URL may be written with. Any other character ends it, so `https://example.comです` links what it should. People copy paths with the
 * letters of their language in them, too: those of scripts with spaces may stand anywhere in a path, and a part of one may begin with Han,
 * Katakana or Hangul, and go on with any letter; what begins with Hiragana is the sentence going on. Letters that are written from right to
 * left would turn the address around.
 */
const urlCharacters =
  /https?:\/\/[\w\-.~:[\]@!$&'()*+,;=%]*(?:[/?#](?:[\w\-.~:/?#[\]@!$&'()*+,;=%\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]|(?<=[/=?#])[\p{Script=Han}\p{Script=Katakana}\p{Script=Hangul}][\p{L}\p{M}\p{N}]*(?<![\p{Script=Arabic}\p{Script=Hebrew}]))*)?/iuy

/** The address that begins here, without what belongs to the sentence around it; and where to read on. */
function urlAt(line: string, from: number): { url: string | null; end: number } {
  urlCharacters.lastIndex = from
  const [written = ""] = urlCharacters.exec(line) ?? []
  const url = withoutSentenceEnd(written)
  // A host with other letters would be cut into another one.
  const isCutHost =
    !/[/?#]/.test(written.slice(8)) && spacedLetter.test(characterAt(line, from + written.length))
  const isUrl =
    !isCutHost &&
    /^https?:\/\/[a-z0-9[]/i.test(url) &&
    !/[a-z0-9]/i.test(line.charAt(from - 1)) &&
    url.length <= maxUrlLength &&
    URL.canParse(url) &&
    isPlain(new URL(url))
  return isUrl ? { url, end: from + url.length } : { url: null, end: from + written.length }
}

/** With nobody's name before the host: `https://bank.example@evil.example` reads as the first and leads to the second. */
const isPlain = ({ username, password }: URL) => username === "" && password === ""

function withoutSentenceEnd(written: string): string {
  let end = written.length
  let open = 0
  for (const character of written) open += character === "(" ? 1 : character === ")" ? -1 : 0
  for (; end > 0; end--) {
    const last = written.charAt(end - 1)
    // A bracket that was opened inside belongs to the address.
    if (last === ")" && open >= 0) break
    if (last === ")") open++
    else if (!/[.,:;!?'*_~\]]/.test(last)) break
  }
  return written.slice(0, end)
}

/** Whoever is called by the name that follows an `@`. */
function mentionedAt(line: string, from: number, people: readonly Mentioned[]): Mentioned | undefined {
  if (/[a-z0-9]/i.test(line.charAt(from - 2))) return undefined
  return people.find(({ name }) => {
    if (name === "" || !line.startsWith(name, from)) return false
    const after = characterAt(line, from + name.length)
    return !(spacedLetter.test(after) && spacedLetter.test(characterBefore(name, name.length)))
  })
}
