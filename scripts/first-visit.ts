import { parseArgs } from "node:util"
import { chromium } from "@playwright/test"
import { startDevelopment } from "../e2e/chat-servers.ts"
import { textsOf } from "../e2e/texts.ts"
import { copyProject } from "./copy-project.ts"
import { findChromium, installLine, tools } from "./tools.ts"

/**
 * `npm run first-visit`: how long a newcomer waits, from `npm run dev` in a checkout in which nothing was compiled yet to a page that is
 * connected. `--reading 10`: seconds for which they read the terminal before they open the browser, 0 unless told.
 */
const { values } = parseArgs({ options: { reading: { type: "string", default: "0" } } })
const reading = Number(values.reading || Number.NaN)
if (!(reading >= 0 && reading <= 3_600))
  throw new TypeError(`--reading wants seconds, as in 10, and not more than an hour; got "${values.reading}"`)

const executablePath = findChromium()
if (!executablePath) throw new Error(`unable to find Chromium; ${installLine(tools.chromium)}`)

const rows: { moment: string; "after, s": string }[] = []
const startedAt = performance.now()
const note = (moment: string) =>
  rows.push({ moment, "after, s": ((performance.now() - startedAt) / 1_000).toFixed(1) })

using project = copyProject()
await using chat = await startDevelopment(project.folder)
note("the terminal names the address")
await new Promise((resolve) => setTimeout(resolve, reading * 1_000))
await using browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
const page = await browser.newPage({ baseURL: chat.url, locale: "en-US" })
page.setDefaultTimeout(120_000)
const { welcome } = textsOf("en")
note("the browser opens it")
await page.goto("/")
await page.getByRole("textbox", { name: welcome.name }).fill("Alice")
note("a name is typed")
await page.getByRole("button", { name: welcome.enter }).click()
await page.waitForURL("**/rooms/**")
note("the room is shown")
await page.locator("[data-connection=connected]").waitFor()
note("it is connected")
console.table(rows)
