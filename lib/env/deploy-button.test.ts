import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { EnvError, parseEnv, providerNames } from "./schema.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
const buttons = [...readme.matchAll(/https:\/\/vercel\.com\/new\/clone\?[^)]*/g)].map(([url]) => new URL(url))
const asked = buttons.map((url) => url.searchParams.get("env")?.split(",") ?? [])

const answers: Record<string, string> = {
  DATABASE_URL: "postgres://x",
  SESSION_SECRET: "s".repeat(32),
  ABLY_API_KEY: "a.b:c",
}

const providerOf = (names: readonly string[]) =>
  providerNames.find((provider) => names.some((name) => name.startsWith(`${provider.toUpperCase()}_`))) ?? ""

/** What a function says that was given what the button asks for, but for one. */
function problemsWith(names: readonly string[], left?: string): readonly string[] {
  const given: Record<string, string> = { ...answers, REALTIME_PROVIDER: providerOf(names) }
  const filled = names.filter((name) => name !== left).map((name) => [name, given[name] ?? "x"])
  try {
    parseEnv({ NODE_ENV: "production", VERCEL: "1", ...Object.fromEntries(filled) })
    return []
  } catch (error) {
    if (error instanceof EnvError) return error.problems
    throw error
  }
}

describe("the README's buttons", () => {
  it("are one for each provider that carries messages of functions", () => {
    expect(asked.map(providerOf)).toEqual(["ably", "pusher"])
  })

  it.each(asked.map((names) => [names] as const))("ask for all that a function needs: %j", (names) => {
    expect(problemsWith(names)).toEqual([])
  })

  it.each(asked.flatMap((names) => names.map((left) => [left, names] as const)))(
    "ask for nothing that it doesn't: without %s it refuses",
    (left, names) => {
      expect(problemsWith(names, left).join("\n")).toContain(left)
    },
  )
})
