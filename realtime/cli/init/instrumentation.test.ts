import { describe, expect, it } from "vitest"
import { mergeInstrumentation } from "./instrumentation.ts"
import { readTemplates } from "./templates.ts"

const template = readTemplates().get("instrumentation.ts") ?? ""
const ours = `  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { realtime } = await import("./realtime/server")
    await realtime.register()
  }
`
const merged = (text: string) => mergeInstrumentation("instrumentation.ts", text, template)

describe("an instrumentation.ts that is there", () => {
  it.each([
    [
      "a function",
      "export async function register() {\n  start()\n}\n",
      `export async function register() {\n  start()\n${ours}}\n`,
    ],
    [
      "one that isn't async",
      "export function register() {\n  start()\n}\n",
      `export async function register() {\n  start()\n${ours}}\n`,
    ],
    [
      "one without statements",
      "export function register() {}\n",
      `export async function register() {\n${ours}}\n`,
    ],
    [
      "an arrow",
      "export const register = () => {\n  start()\n}\n",
      `export const register = async () => {\n  start()\n${ours}}\n`,
    ],
    [
      "types, and a comment at the end",
      "export async function register(): Promise<void> {\n  start(1 as number)\n  // done\n}\n",
      `export async function register(): Promise<void> {\n  start(1 as number)\n  // done\n${ours}}\n`,
    ],
    [
      "one that may return before its end",
      "export async function register() {\n  if (isOff) return\n  start()\n}\n",
      `export async function register() {\n${ours.trimEnd()}\n  if (isOff) return\n  start()\n}\n`,
    ],
    [
      "one whose callback returns",
      "export async function register() {\n  start(() => { return 1 })\n}\n",
      `export async function register() {\n  start(() => { return 1 })\n${ours}}\n`,
    ],
    [
      "other exports alone",
      "export const onRequestError = log\n",
      `export const onRequestError = log\n\n${template}`,
    ],
    ["nothing", "", template],
    [
      "the word in a comment",
      "// export function register() {\nlog()",
      `// export function register() {\nlog()\n\n${template}`,
    ],
  ])("%s", (_, before, after) => {
    expect(merged(before)).toBe(after)
  })

  it("keeps the ends of its lines", () => {
    expect(merged("export function register() {\r\n  start()\r\n}\r\n").replaceAll("\r\n", "")).not.toContain(
      "\n",
    )
  })

  it.each([
    ["export { register } from './otel'", /from another file/],
    ["export * from './otel'", /from another file/],
    ["const register = () => {}\nexport { register }", /from another file/],
    ["export const register = wrap(() => {})", /from another file/],
    ["export const register = () => start()", /without a body/],
    ["export function register(): void {\n}", /states its type/],
    ["export function register( {", /can't be read/],
    ["function register() {}\nmodule.exports = { register }", /is a CommonJS module/],
    ["module.exports.onRequestError = log", /is a CommonJS module/],
    ["exports.register = async () => {}", /is a CommonJS module/],
    ["function register() {}", /that it doesn't export/],
    ["const { register } = require('./otel')", /that it doesn't export/],
    ["import { register } from './otel'", /that it doesn't export/],
  ])("refuses %s, and says what to add", (text, reason) => {
    expect(() => merged(text)).toThrow(reason)
    try {
      merged(text)
    } catch (error) {
      expect(error).toMatchObject({ advice: expect.stringContaining("await realtime.register()") })
    }
  })
})
