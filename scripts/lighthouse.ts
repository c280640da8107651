import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { basename, join } from "node:path"
import { chromium } from "@playwright/test"
import { startChat } from "../e2e/chat-servers.ts"
import { signIn } from "../e2e/person.ts"
import { buildOnce } from "./build-once.ts"
import { type Figure, figureAnnotation } from "./report.ts"
import { projectDir, run } from "./run.ts"
import { findChromium, installLine, tools } from "./tools.ts"

/**
 * `npm run lighthouse`: Lighthouse's figures for the production build, of the welcome page and of a room with a page of
 * history, on a desktop and a phone, and what a busy and a long room cost a page that is open, written to `docs/lighthouse.md`.
 * Lighthouse is no part of the project: npx brings it.
 */
const lighthouse = "lighthouse@13.5.0"

interface Result {
  lighthouseVersion: string
  categories: Record<string, { title: string; score: number | null }>
  audits: Record<string, { displayValue?: string }>
}

const audits = {
  "first-contentful-paint": "first paint",
  "largest-contentful-paint": "largest paint",
  "total-blocking-time": "blocked",
  "cumulative-layout-shift": "shift",
  "total-byte-weight": "downloaded",
}

const executablePath = findChromium()
if (!executablePath) throw new Error(`unable to find Chromium; ${installLine(tools.chromium)}`)
await buildOnce()
const folder = mkdtempSync(join(tmpdir(), "throughline-lighthouse-"))
const inUse = await measureInUse()
await using chat = await startChat("one-port")

/** What the browser tests measure of a page in use, as tables. They decide nothing by it. */
async function measureInUse(): Promise<string[]> {
  const report = join(folder, "figures.json")
  const tests = ["list", "--grep=fifty messages a second|scrolls fast"]
  const options = ["--project=one-port", "--no-deps", "--workers=1", "--reporter=json"]
  const exitCode = await run("playwright", ["test", ...tests, ...options], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  })
  if (exitCode !== 0) throw new Error(`the tests that measure failed; ${report} says how`)
  const found = new Map<string, Figure>()
  // Wherever they stand in the report.
  JSON.parse(readFileSync(report, "utf8"), (_, value: unknown) => {
    if (isFigure(value)) found.set(value.description, JSON.parse(value.description) as Figure)
    return value
  })
  if (found.size !== 2) throw new Error(`${found.size} figures in place of two; see ${report}`)
  return [...found.values()].map(({ table, row, cells }) =>
    [
      `| ${[table, ...Object.keys(cells)].join(" | ")} |`,
      `| ${["", ...Object.keys(cells)].map(() => "---").join(" | ")} |`,
      `| ${[row, ...Object.values(cells)].join(" | ")} |`,
    ].join("\n"),
  )
}

function isFigure(value: unknown): value is { description: string } {
  return typeof value === "object" && value !== null && "type" in value && value.type === figureAnnotation
}

/** Signs in, and fills a room with one page of history; leaves the session in the folder of a browser. */
const prepareRoom = async (profile: string): Promise<string> => {
  const browser = await chromium.launchPersistentContext(profile, {
    ...{ executablePath, baseURL: chat.url, locale: "en-US", args: ["--no-sandbox", "--disable-gpu"] },
  })
  const alice = await signIn(browser, "Alice")
  const room = await alice.createRoom("Lighthouse")
  for (let index = 1; index <= 50; index += 1)
    await room.send(`Message number ${index}, as long as most of them are.`)
  await room.expectAllSent()
  const { url } = room
  await browser.close()
  return url
}

const forms = ["desktop", "mobile"] as const

/** With the session of that folder: handed over as a header, it isn't sent with what the page itself asks for. The caches stay behind. */
const measure = (url: string, form: (typeof forms)[number], session: string): Result => {
  const profile = mkdtempSync(join(folder, "copy-"))
  cpSync(session, profile, { recursive: true, filter: (path) => !basename(path).endsWith("Cache") })
  const output = join(folder, "result.json")
  execFileSync(
    "npx",
    [
      ...["--yes", lighthouse, url, "--quiet", "--output=json", `--output-path=${output}`],
      "--disable-storage-reset",
      `--chrome-flags=--headless=new --no-sandbox --disable-gpu --user-data-dir=${profile}`,
      ...(form === "desktop" ? ["--preset=desktop"] : []),
    ],
    { stdio: "inherit", env: { ...process.env, CHROME_PATH: executablePath } },
  )
  return JSON.parse(readFileSync(output, "utf8")) as Result
}

const measured = new Map<string, Result>()
const pages = [
  { name: "welcome page", prepare: async () => chat.url },
  { name: "a room with 50 messages", prepare: prepareRoom },
]
for (const { name, prepare } of pages) {
  const profile = mkdtempSync(join(folder, "profile-"))
  const url = await prepare(profile)
  for (const form of forms) measured.set(`| ${form} | ${name} |`, measure(url, form, profile))
}
const version = [...measured.values()][0]?.lighthouseVersion
const rows = forms.flatMap((form) => [...measured].filter(([row]) => row.includes(form))).map(toRow)

function toRow([row, result]: [string, Result]): string {
  const scores = ["performance", "accessibility", "best-practices", "seo"].map((category) =>
    Math.round((result.categories[category]?.score ?? 0) * 100),
  )
  const values = Object.keys(audits).map(
    (audit) => result.audits[audit]?.displayValue?.replace("Total size was ", "") ?? "–",
  )
  return `${row} ${[...scores, ...values].join(" | ")} |`
}
rmSync(folder, { recursive: true })

const today = new Date().toISOString().slice(0, 10)
writeFileSync(
  join(projectDir, "docs", "lighthouse.md"),
  `# Lighthouse

The production build on one port, on ${today}, by Lighthouse ${version} in headless Chromium on the machine that ran the tests
(${cpus().length} cores): *mobile* is its simulated mid-range phone on slow 4G, *desktop* its preset. A room isn't meant for search
engines, and asks them not to index it. Again: \`npm run lighthouse\`.

| | page | performance | accessibility | best practices | SEO | ${Object.values(audits).join(" | ")} |
| --- | --- | --- | --- | --- | --- | ${Object.keys(audits)
    .map(() => "---")
    .join(" | ")} |
${rows.join("\n")}

## While it is used

By the browser tests, in the same build on the same machine. Times are in ms; keys and tasks are slow from 16 and 50 ms on, and the
heap, in MB, is that of the page's script at the end.

${inUse.join("\n\n")}
`,
)
console.log([...rows, ...inUse].join("\n"))
