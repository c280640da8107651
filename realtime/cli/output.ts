import { stripVTControlCharacters, styleText } from "node:util"

type Style = Parameters<typeof styleText>[0]

/**
 * What a command says: to people on either stream, or to programs as one JSON document on standard output.
 */
export interface Output {
  isJson: boolean
  /** Something that was asked for. */
  print(line: string): void
  /** Progress and problems: not part of the answer. */
  note(line: string): void
  /** The answer for programs; nothing without `--json`. */
  json(value: unknown): void
}

/** Colours are for terminals alone, and for none where `NO_COLOR` is set. */
export const styled = (style: Style, text: string): string =>
  styleText(style, text, { stream: process.stdout })

export function createOutput(isJson: boolean): Output {
  // Whoever reads has seen enough, as `head` has.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1))
  const plain = (stream: NodeJS.WriteStream, line: string) =>
    stream.write(`${stream.isTTY ? line : stripVTControlCharacters(line)}\n`)
  return {
    isJson,
    print: (line) => void (isJson || plain(process.stdout, line)),
    note: (line) => void plain(process.stderr, line),
    json: (value) => void (isJson && process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)),
  }
}
