/**
 * What a text is found by, and what a query asks for: one tokenizer for both databases, which only compare the tokens.
 *
 * Words are runs of letters and digits. Scripts that put no spaces between words (kanji and kana, hangul, Thai …) become
 * bigrams, each of two neighbours, and the last character of a run by itself: 東京都 is 東京, 京都, 都. So every part of a run
 * is found, also a single character, as the beginning of a token. Pictures are tokens of their own. Upper and lower case, full and half
 * width, and what nobody sees make no difference.
 */

/** In a message whose tokens are more than these (PostgreSQL counts to 16,383), the rest isn't found. */
const maxTokens = 16_000
/** In characters; PostgreSQL takes 2,046 bytes. Two words are the same when they are so up to here. */
const maxWordLength = 64
/** What a query may ask for; the rest of it isn't looked at. */
const maxQueryLength = 400
const maxQueryTokens = 40

const dense =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}" +
  "\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー]"
const letter = "[\\p{L}\\p{N}]"
const picture = "[\\p{Extended_Pictographic}\\p{Regional_Indicator}]"

const runs = new RegExp(
  `(?<dense>[${dense}&&${letter}][${dense}\\p{M}]*)|(?<word>[${letter}--${dense}][[${letter}\\p{M}]--${dense}]*)|${picture}`,
  "gv",
)

type Run = { kind: "dense"; characters: string[] } | { kind: "word" | "picture"; token: string }

/** The same for all ways of writing the same. */
const normalize = (text: string): string =>
  text
    .toWellFormed()
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll("ς", "σ")
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")

function runsOf(normalized: string): Run[] {
  return [...normalized.matchAll(runs)].map(({ 0: found, groups }): Run => {
    if (groups?.dense !== undefined) return { kind: "dense", characters: [...found] }
    if (groups?.word === undefined) return { kind: "picture", token: found }
    return { kind: "word", token: [...found].slice(0, maxWordLength).join("") }
  })
}

const bigrams = (characters: readonly string[]): string[] =>
  characters.slice(1).map((character, index) => `${characters[index]}${character}`)

const tokensOfRun = (run: Run): string[] =>
  run.kind === "dense" ? [...bigrams(run.characters), run.characters.at(-1) ?? ""] : [run.token]

/** All tokens of a text, in their order. */
export function tokensOf(text: string): string[] {
  return runsOf(normalize(text)).flatMap(tokensOfRun).slice(0, maxTokens)
}

/** Tokens that follow one another. */
export interface Phrase {
  tokens: string[]
  /** The last token is only the beginning of one. */
  isPrefix: boolean
}

/**
 * What a query asks for, all of which has to be there. What is written without a space between stands together; the last word may be
 * unfinished.
 */
export function phrasesOf(query: string): Phrase[] {
  const words = normalize(query.slice(0, maxQueryLength)).split(/\s+/u)
  let left = maxQueryTokens
  return words.flatMap((word, index) => {
    const phrase = phraseOf(runsOf(word), index === words.length - 1)
    const tokens = phrase.tokens.slice(0, left)
    left -= tokens.length
    if (tokens.length === 0) return []
    return [{ tokens, isPrefix: phrase.isPrefix && tokens.length === phrase.tokens.length }]
  })
}

function phraseOf(all: readonly Run[], isLast: boolean): Phrase {
  const last = all.at(-1)
  if (!last) return { tokens: [], isPrefix: false }
  const before = all.slice(0, -1).flatMap(tokensOfRun)
  if (last.kind !== "dense")
    return { tokens: [...before, last.token], isPrefix: last.kind === "word" && isLast }
  // A run may go on in the text: its last character ends nothing there, and one alone is the beginning of a bigram.
  const isSingle = last.characters.length === 1
  return {
    tokens: [...before, ...(isSingle ? last.characters : bigrams(last.characters))],
    isPrefix: isSingle,
  }
}
