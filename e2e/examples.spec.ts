import {
  type APIResponse,
  type Browser,
  type BrowserContextOptions,
  expect,
  type Page,
  test,
} from "@playwright/test"
import { table } from "../examples/cursors/realtime/board.ts"
import { centre } from "../examples/game/realtime/court.ts"
import { table as threes } from "../examples/turns/realtime/board.ts"
import { connectWire } from "../realtime/bench/wire.ts"
import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { buildExample, startExample } from "./examples.ts"
import { InputMethod } from "./ime.ts"
import { providers } from "./stranger-people.ts"

/** A guest who is on the board without a browser, and costs this machine next to nothing. */
async function visit(url: string) {
  const post = (path: string, cookie = "") =>
    fetch(`${url}/api/realtime/${path}`, {
      ...{ method: "POST", body: "{}", headers: { "Content-Type": "application/json", cookie } },
    })
  const cookie = (await post("session")).headers.get("Set-Cookie")?.split(";", 1)[0] ?? ""
  const { ticket } = (await (await post("credentials/socketio", cookie)).json()) as { ticket: string }
  const client = await connectWire(url, { ticket }, () => {})
  await client.request(["subscribe", table.name, null])
  return client
}

/** Two people, each with a browser of their own: one of English on a desk, one of Japanese on a small phone. */
async function openTwo(browser: Browser, url: string) {
  await using opened = new AsyncDisposableStack()
  const open = async (options: BrowserContextOptions) => {
    const context = await browser.newContext(options)
    opened.defer(() => context.close())
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  const wide = await open({ locale: "en-US", colorScheme: "light", viewport: { width: 1280, height: 720 } })
  const small = await open({
    ...{ locale: "ja-JP", colorScheme: "dark", viewport: { width: 320, height: 640 } },
    reducedMotion: "reduce",
  })
  const stack = opened.move()
  return { wide, small, both: [wide, small], [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test.describe("live prices", () => {
  test.beforeAll(() => buildExample("prices"))

  const symbols = ["BAD", "BAG", "BAK", "BAL", "BAM", "BAN", "BAP", "BAR"]
  const cells = (page: Page, column: number, rows: readonly string[]) =>
    page.evaluate(
      ([column, rows]) =>
        rows.map(
          (symbol) => document.getElementById(symbol)?.querySelectorAll("td")[column]?.textContent ?? "",
        ),
      [column, rows] as const,
    )
  const pricesOn = (page: Page, rows: readonly string[] = symbols) => cells(page, 0, rows)
  /** In seconds; of an unknown one, NaN. */
  const agesOn = async (page: Page, rows: readonly string[] = symbols) =>
    (await cells(page, 3, rows)).map((age) => Number.parseFloat(age) * (age.endsWith("min") ? 60 : 1))

  const areFresh = (page: Page, rows?: readonly string[]) =>
    expect.poll(async () => (await agesOn(page, rows)).every((age) => age < 2)).toBe(true)
  const areOlderThan = (seconds: number, page: Page) =>
    expect.poll(async () => (await agesOn(page)).every((age) => age > seconds)).toBe(true)
  async function move(page: Page): Promise<void> {
    const before = await pricesOn(page)
    expect(before).not.toContain("")
    await expect.poll(() => pricesOn(page)).not.toEqual(before)
  }

  /** What the log has, as anybody's page reads it. */
  const keptPrices = (page: Page): Promise<string[]> =>
    page.evaluate(async (symbols) => {
      const keys = symbols.map((symbol) => `quote:${symbol}`)
      const answer = await fetch("/api/realtime/state", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ channel: "market:tokyo", keys }),
      })
      const { entries }: { entries: { key: string; value: { price: number } }[] } = await answer.json()
      const { format } = new Intl.NumberFormat("en", { minimumFractionDigits: 1 })
      return keys.map((key) => format(entries.find((entry) => entry.key === key)?.value.price ?? Number.NaN))
    }, symbols)

  for (const provider of providers)
    test(`move on two pages, are of the rows in view, age honestly and outlive a killed server, over ${provider}`, async ({
      browser,
    }) => {
      await using example = await startExample("prices", provider)
      await using people = await openTwo(browser, example.url)
      const { wide, small, both } = people
      const isLive = () =>
        Promise.all([
          expect(wide.getByRole("status")).toHaveText(`● Live · ${provider}`),
          expect(small.getByRole("status")).toHaveText(`● 配信中 · ${provider}`),
        ])
      await isLive()
      await Promise.all(both.map((page) => areFresh(page)))
      await Promise.all(both.map(move))
      const html = await (await wide.request.get(example.url)).text()
      expect(html).toMatch(/<tr[^>]*id="BAD">.*?[\d.]+\.\d<.*?<tr[^>]*id="BAG">/)
      await expect(wide.getByRole("columnheader")).toHaveText(["Symbol", "Price", "Change", "Trend", "Age"])
      await expect(small.getByRole("columnheader")).toHaveText(["銘柄", "価格", "騰落率", "推移", "経過"])
      await expect(small.locator("html")).toHaveAttribute("lang", "ja")

      await expect.poll(() => wide.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0)
      expect(await small.evaluate(() => document.getAnimations().length)).toBe(0)
      // A flash is a colour on its way to another, and one follows the next.
      await wide.emulateMedia({ reducedMotion: "reduce" })
      for (const page of both) {
        await expectNothingSticksOut(page)
        await expectAccessible(page)
      }

      const last = ["TUR", "TUT", "TUX"]
      await small.locator("#TUX").scrollIntoViewIfNeeded()
      await areFresh(small, last)
      expect(await pricesOn(small)).toEqual(symbols.map(() => ""))
      await small.locator("#BAD").scrollIntoViewIfNeeded()
      await areFresh(small)

      await example.kill()
      await Promise.all(both.map((page) => areOlderThan(3, page)))
      await expectAccessible(wide)

      // Without its feed the last values stand still, and are the log's on every page.
      await example.start({ FEED: "elsewhere" })
      for (const page of both) await page.evaluate(() => window.dispatchEvent(new Event("online")))
      await isLive()
      const kept = await keptPrices(wide)
      for (const page of both) await expect.poll(() => pricesOn(page)).toEqual(kept)
      await Promise.all(both.map((page) => areOlderThan(3, page)))

      await example.kill()
      await example.start()
      await isLive()
      await Promise.all(both.map((page) => areFresh(page)))
      await Promise.all(both.map(move))
    })
})

test.describe("pointers", () => {
  test.beforeAll(() => buildExample("cursors"))

  const boardOf = (page: Page) => page.getByRole("region")
  /** Where the only other pointer is, in parts of the board; null while there is none to see, or several. */
  const otherOn = (page: Page) =>
    boardOf(page).evaluate((board) => {
      const pointers = [...board.querySelectorAll<HTMLElement>(":scope > div")].filter(
        ({ hidden }) => !hidden,
      )
      const [pointer] = pointers
      if (!pointer || pointers.length > 1) return null
      const [at, of] = [pointer.getBoundingClientRect(), board.getBoundingClientRect()]
      return { x: (at.x - of.x) / of.width, y: (at.y - of.y) / of.height }
    })
  async function moveTo(page: Page, x: number, y: number): Promise<void> {
    const at = (await boardOf(page).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    await page.mouse.move(at.x + x * at.width, at.y + y * at.height, { steps: 20 })
  }
  const isSeenAt = async (page: Page, x: number, y: number) =>
    expect
      .poll(async () => {
        const at = await otherOn(page)
        return at !== null && Math.hypot(at.x - x, at.y - y) < 0.01
      })
      .toBe(true)

  /** Signals that the page sends, by whichever way. */
  async function countSent(page: Page) {
    let sent = 0
    const isSignal = (text: string) => text.includes("moved")
    page.on("request", (request) => {
      if (request.url().endsWith("/signal") && isSignal(request.postData() ?? "")) sent += 1
    })
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        if (isSignal(payload.toString("latin1"))) sent += 1
      }),
    )
    await page.reload()
    return () => sent
  }

  for (const provider of providers)
    test(`are where they are on the other page, also when they rest, leave or come back, over ${provider}`, async ({
      browser,
    }) => {
      await using example = await startExample("cursors", provider)
      await using people = await openTwo(browser, example.url)
      const { wide, small, both } = people
      await expect(wide.getByRole("status")).toHaveText(`● Live · ${provider}`)
      await expect(small.getByRole("status")).toHaveText(`● 配信中 · ${provider}`)
      await expect(wide.getByText(/^Here, too: Guest/)).toBeVisible()
      await expect(small.getByText(/^ほかにいる人：Guest/)).toBeVisible()
      for (const page of both) {
        await expectNothingSticksOut(page)
        await expectAccessible(page)
      }

      await moveTo(wide, 0.3, 0.3)
      await isSeenAt(small, 0.3, 0.3)
      await moveTo(small, 0.8, 0.6)
      await isSeenAt(wide, 0.8, 0.6)
      await moveTo(wide, 0.9, 0.1)
      await isSeenAt(small, 0.9, 0.1)

      // One that comes sees who stands still, and is seen once it moves.
      const sent = await countSent(small)
      await isSeenAt(small, 0.9, 0.1)
      await moveTo(small, 0.2, 0.7)
      await isSeenAt(wide, 0.2, 0.7)
      const isQuiet = async () => {
        const before = sent()
        // Silence is all there is to wait for.
        await small.waitForTimeout(2_000)
        return sent() === before
      }
      await expect.poll(isQuiet).toBe(true)
      expect(sent()).toBeGreaterThan(0)

      await small.mouse.move(1, 1)
      await expect.poll(() => otherOn(wide)).toBeNull()
      await small.close()
      await expect(wide.getByText("Nobody else is here.")).toBeVisible()
    })

  test("sixty of them move on one page", async ({ browser }) => {
    await using example = await startExample("cursors", "socketio")
    await using stack = new AsyncDisposableStack()
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    stack.defer(() => page.close())
    await page.goto(example.url)
    await expect(page.getByRole("status")).toHaveText("● Live · socketio")
    const people = await Promise.all(Array.from({ length: 60 }, () => visit(example.url)))
    for (const client of people) stack.defer(() => client.close())
    let n = 0
    const timer = setInterval(() => {
      n += 1
      const now = Math.round(performance.now())
      for (const [index, client] of people.entries()) {
        const place = (phase: number) => Math.round(5_000 + 4_500 * Math.sin(n / 20 + index * phase))
        const path = [[now, place(1), place(0.7)]]
        void client.request(["signal", table.name, "moved", path, { page: `${index}`, n }])
      }
    }, 50)
    stack.defer(() => clearInterval(timer))
    await expect(boardOf(page).locator(":scope > div:not([hidden])")).toHaveCount(60)
    const frames = await page.evaluate(async () => {
      const began = performance.now()
      const lengths: number[] = []
      for (let before = began, now = began; now - began < 30_000; before = now) {
        now = await new Promise(requestAnimationFrame)
        lengths.push(now - before)
      }
      return lengths.sort((one, other) => one - other)
    })
    const at = (part: number) => frames[Math.floor(part * (frames.length - 1))]?.toFixed(1)
    console.log(
      `60 pointers, 30 s: ${frames.length} frames, median ${at(0.5)} ms, p99 ${at(0.99)}, longest ${at(1)}`,
    )
    await expect.poll(() => boardOf(page).locator(":scope > div:not([hidden])").count()).toBe(60)
  })
})

test.describe("a game with a loop on the server", () => {
  test.beforeAll(() => buildExample("game"))

  const slider = (page: Page) => page.getByRole("slider")
  /** How far down the paddles and the ball are, in parts of the court: left, right, ball. */
  const courtOn = (page: Page): Promise<number[]> =>
    page.getByRole("region").evaluate((court) => {
      const { top, height } = court.getBoundingClientRect()
      return [...court.querySelectorAll("i, b")].map((piece) => {
        const at = piece.getBoundingClientRect()
        return (at.top + at.height / 2 - top) / height
      })
    })
  const isAt = async (page: Page, side: number, y: number) =>
    expect.poll(async () => Math.abs(((await courtOn(page))[side] ?? -1) - y) < 0.02).toBe(true)
  async function isMoving(page: Page): Promise<void> {
    const [, , before] = await courtOn(page)
    await expect.poll(async () => (await courtOn(page))[2]).not.toBe(before)
  }
  const pointsOn = async (page: Page) => {
    const [score = ""] = await page.getByText(/^\d+ – \d+$/).allTextContents()
    return score.split(" – ").reduce((sum, points) => sum + Number(points), 0)
  }

  for (const provider of providers)
    test(`is the same on both players' pages, scores, and outlives a killed server, over ${provider}`, async ({
      browser,
    }) => {
      await using example = await startExample("game", provider)
      await using people = await openTwo(browser, example.url)
      const { wide, small, both } = people
      const isLive = () =>
        Promise.all([
          expect(wide.getByRole("status")).toHaveText(`● Live · ${provider}`),
          expect(small.getByRole("status")).toHaveText(`● 配信中 · ${provider}`),
        ])
      await isLive()
      for (const page of both) {
        await expect(page.getByText(/^Guest.* – Guest/)).toBeVisible()
        await expectNothingSticksOut(page)
        await expectAccessible(page)
      }
      await Promise.all(both.map(isMoving))

      await slider(wide).fill("0.9")
      const low = async () => (await courtOn(wide)).slice(0, 2).findIndex((y) => Math.abs(y - 0.9) < 0.02)
      await expect.poll(low).toBeGreaterThanOrEqual(0)
      const own = await low()
      await isAt(small, own, 0.9)
      await slider(small).fill("0.1")
      await isAt(wide, 1 - own, 0.1)
      await slider(wide).press("ArrowLeft")
      await isAt(small, own, 0.88)

      for (const page of both) await expect.poll(() => pointsOn(page)).toBeGreaterThan(1)
      await expect(wide.getByText(/^Guest.* scores: \d+ – \d+$/)).toBeVisible()
      await expect(small.getByText(/^Guest.*さんの得点：\d+ – \d+$/)).toBeVisible()

      const before = await pointsOn(wide)
      await example.kill()
      await example.start()
      for (const page of both) await page.evaluate(() => window.dispatchEvent(new Event("online")))
      await isLive()
      await slider(wide).fill("0.5")
      for (const page of both) await expect.poll(() => pointsOn(page)).toBeGreaterThan(before)

      // Nobody is there: nothing is written any more.
      const { request } = wide.context()
      await small.close()
      await wide.close()
      const version = async () => {
        const data = { channel: centre.name, keys: ["world"] }
        return (await (await request.post(`${example.url}/api/realtime/state`, { data })).json()).version
      }
      const isStill = async () => {
        const now = await version()
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        return (await version()) === now
      }
      await expect.poll(isStill, { timeout: 60_000 }).toBe(true)
    })
})

test.describe("a game in turns", () => {
  test.beforeAll(() => buildExample("turns"))

  const square = (page: Page, n: number) =>
    page.getByRole("button", { name: new RegExp(`^(Square ${n}|${n}番のマス)`) })
  const boardOn = async (page: Page) =>
    (await page.getByRole("button", { name: /Square|マス/ }).allTextContents())
      .map((mark) => mark || ".")
      .join("")
  const isOnBoth = async (pages: readonly Page[], board: string) => {
    for (const page of pages) await expect.poll(() => boardOn(page)).toBe(board)
  }

  for (const provider of providers)
    test(`is the same on both pages, takes no move out of turn, and outlives a killed server, over ${provider}`, async ({
      browser,
    }) => {
      await using example = await startExample("turns", provider)
      await using people = await openTwo(browser, example.url)
      const { wide, small, both } = people
      const isLive = () =>
        Promise.all([
          expect(wide.getByRole("status")).toHaveText(`● Live · ${provider}`),
          expect(small.getByRole("status")).toHaveText(`● 配信中 · ${provider}`),
        ])
      await isLive()
      await square(wide, 1).click()
      await isOnBoth(both, "×........")
      for (const page of both) {
        await expectNothingSticksOut(page)
        await expectAccessible(page)
      }
      await expect(square(wide, 2)).toBeDisabled()
      await square(small, 5).click()
      await isOnBoth(both, "×...○....")
      await expect(square(small, 6)).toBeDisabled()
      // Whoever says it all the same is heard, and nothing changes.
      await small.evaluate(async (channel) => {
        const messages = [{ id: crypto.randomUUID(), event: "placed", payload: { cell: 8 } }]
        const body = JSON.stringify({ channel, messages })
        const headers = { "Content-Type": "application/json" }
        await fetch("/api/realtime/publish", { method: "POST", headers, body })
      }, threes.name)
      await square(wide, 2).click()
      await isOnBoth(both, "××..○....")
      await small.reload()
      await isOnBoth(both, "××..○....")

      await example.kill()
      await square(small, 6).click()
      await example.start()
      for (const page of both) await page.evaluate(() => window.dispatchEvent(new Event("online")))
      await isOnBoth(both, "××..○○...")
      await square(wide, 3).click()
      await isOnBoth(both, "×××.○○...")
      await expect(wide.getByText(/^× has won: Guest/)).toBeVisible()
      await expect(small.getByText(/^× の勝ち：Guest/)).toBeVisible()
      await expectAccessible(small)
      await small.getByRole("button", { name: "もう一度" }).click()
      await isOnBoth(both, ".........")
      await isLive()
    })
})

test.describe("a shared document", () => {
  test.beforeAll(() => buildExample("document"))

  const sheet = (page: Page) => page.getByRole("textbox")
  /** Its paragraphs, without the names at others' carets. */
  const linesOn = (page: Page) =>
    sheet(page).evaluate((element) => {
      const copy = element.cloneNode(true) as HTMLElement
      for (const caret of copy.querySelectorAll(".ProseMirror-yjs-cursor")) caret.remove()
      return [...copy.children].map(({ textContent }) => textContent ?? "")
    })
  const areOnBoth = async (pages: readonly Page[], lines: readonly (string | RegExp)[]) => {
    for (const page of pages)
      await expect
        .poll(() => linesOn(page))
        .toEqual(lines.map((line) => (typeof line === "string" ? line : expect.stringMatching(line))))
  }
  /** At the end of the first or the last paragraph, in one step. */
  async function write(page: Page, where: "first" | "last", text: string): Promise<void> {
    await goTo(page, where)
    await page.keyboard.insertText(text)
  }
  async function goTo(page: Page, where: "first" | "last"): Promise<void> {
    await sheet(page).focus()
    // Of several lines that a paragraph may have, the End key goes to the end of one.
    await sheet(page).evaluate((element, where) => {
      const paragraph = where === "first" ? element.firstElementChild : element.lastElementChild
      getSelection()?.selectAllChildren(paragraph as Element)
      getSelection()?.collapseToEnd()
    }, where)
  }
  const tool = (page: Page, name: string) =>
    page.getByRole("toolbar").getByRole("button", { name, exact: true })
  const ownName = async (page: Page) =>
    (await page.getByText(/^Guest \d+( \(you\)|（あなた）)$/).innerText()).replace(
      /( \(you\)|（あなた）)$/,
      "",
    )
  const hears = (page: Page) => page.evaluate(() => window.dispatchEvent(new Event("online")))
  /** As a service worker does: what the server has served is there without it. */
  async function keepPages(page: Page): Promise<void> {
    const kept = new Map<string, APIResponse>()
    await page.route("**", async (route) => {
      const request = route.request()
      if (!["document", "script", "stylesheet"].includes(request.resourceType())) return route.continue()
      const url = request.url()
      const answer = await route.fetch().catch(() => kept.get(url))
      if (!answer) return route.abort()
      kept.set(url, answer)
      await route.fulfill({ response: answer })
    })
  }

  for (const provider of providers)
    test(`is written by two at once, offline too, and says what the server refuses, over ${provider}`, async ({
      browser,
    }) => {
      await using example = await startExample("document", provider)
      await using people = await openTwo(browser, example.url)
      const { wide, small, both } = people
      await expect(wide).toHaveURL(/\?document=en-[\w-]{36}$/)
      await expect(small).toHaveURL(/\?document=ja-[\w-]{36}$/)
      const isSaved = () =>
        Promise.all([
          expect(wide.getByRole("status")).toHaveText(`● Saved · ${provider}`),
          expect(small.getByRole("status")).toHaveText(`● 保存済み · ${provider}`),
        ])
      await isSaved()
      await areOnBoth([small], ["メモ", "このページのアドレスを知っている人は、いっしょに書けます。"])

      // One that nobody has opened yet begins once, however many open it at the same moment.
      const first = "Whoever has the address of this page writes along."
      const url = `${example.url}/?document=en-together`
      await Promise.all(both.map((page) => page.goto(url)))
      await isSaved()
      await areOnBoth(both, ["Notes", first])
      await expect(wide).toHaveTitle("Notes")
      for (const page of both) {
        await expect(page.getByRole("listitem")).toHaveCount(2)
        await expectNothingSticksOut(page)
        await expectAccessible(page)
      }

      await goTo(wide, "first")
      await goTo(small, "last")
      for (const [page, other] of [both, [small, wide]] as [Page, Page][])
        await expect(page.locator(".ProseMirror-yjs-cursor div")).toHaveText(await ownName(other))
      await Promise.all([wide.keyboard.type(" of two people"), small.keyboard.type(" So do I.")])
      await areOnBoth(both, ["Notes of two people", `${first} So do I.`])

      // What is undone are one's own steps.
      await write(wide, "last", " Mine.")
      await areOnBoth(both, ["Notes of two people", `${first} So do I. Mine.`])
      await write(small, "last", " Theirs.")
      await areOnBoth(both, ["Notes of two people", `${first} So do I. Mine. Theirs.`])
      await tool(wide, "Undo").click()
      await areOnBoth(both, [/^Notes/, `${first} So do I. Theirs.`])
      await tool(wide, "Redo").click()
      await areOnBoth(both, ["Notes of two people", `${first} So do I. Mine. Theirs.`])

      await sheet(wide).press("Control+A")
      await tool(wide, "Bold").click()
      await expect(tool(wide, "Bold")).toHaveAttribute("aria-pressed", "true")
      await expect(sheet(small).locator("strong")).toHaveCount(2)
      await sheet(wide).press("Control+B")
      await expect(tool(wide, "Bold")).toHaveAttribute("aria-pressed", "false")
      await expect(sheet(small).locator("strong")).toHaveCount(0)

      // A reading that isn't converted yet stays what it is, whatever others write beside it.
      const ime = await InputMethod.of(small)
      await goTo(small, "last")
      await ime.compose("にほん")
      await write(wide, "first", " beside")
      await write(wide, "last", " Before.")
      await areOnBoth([small], [/ beside$/, /(にほん.*Before\.|Before\..*にほん)/])
      await ime.compose("にほんご")
      await ime.commit("日本語")
      await areOnBoth(both, [/ beside$/, /^[^に]*(日本語 Before\.| Before\.日本語)$/])

      // Without a network, and over the end of the page.
      const before = await linesOn(wide)
      await small.context().setOffline(true)
      await write(small, "first", " (offline)")
      await expect(small.getByRole("status")).toHaveText(/保存中…|接続していません/)
      await write(wide, "last", " Meanwhile.")
      await expect.poll(async () => (await linesOn(wide)).at(-1)).toBe(`${before.at(-1)} Meanwhile.`)
      expect((await linesOn(wide))[0]).toBe(before[0])
      await small.close()
      await small.context().setOffline(false)
      const again = await small.context().newPage()
      await again.goto(url)
      await areOnBoth([wide, again], [`${before[0]} (offline)`, `${before.at(-1)} Meanwhile.`])
      await expect(again.getByRole("status")).toHaveText(`● 保存済み · ${provider}`)

      // What was written while nobody answered is refused by a server that is for reading only.
      const kept = await linesOn(wide)
      await example.kill()
      await write(wide, "first", " REFUSED")
      await example.start({ READ_ONLY: "true" })
      await hears(wide)
      await expect(wide.getByRole("main").getByRole("alert")).toContainText(
        "The server hasn't taken your last changes",
      )
      await expect(wide.getByRole("status")).toHaveText(`● Not saved · ${provider}`)
      await expect(sheet(wide)).toHaveAttribute("contenteditable", "false")
      await expectAccessible(wide)
      await wide.context().grantPermissions(["clipboard-read", "clipboard-write"])
      await wide.getByRole("button", { name: "Copy everything" }).click()
      const copied = await wide.evaluate(async () => {
        const [item] = await navigator.clipboard.read()
        return (await item?.getType("text/html"))?.text()
      })
      expect(copied).toMatch(/<h2[^>]*>Notes.* REFUSED<\/h2>/)
      await wide.getByRole("button", { name: "Throw my changes away" }).click()
      await areOnBoth([wide], kept)
      await again.reload()
      await expect(again.getByRole("status")).toHaveText(`● 閲覧のみ · ${provider}`)
      await areOnBoth([again], kept)
      await expect(sheet(again)).toHaveAttribute("contenteditable", "false")
      await expect(tool(again, "太字")).toBeDisabled()
      await expectNothingSticksOut(again)
      await expectAccessible(again)
    })

  test("is opened, and written to, while the server can't even say who is there", async ({ page }) => {
    await using example = await startExample("document", "socketio")
    await keepPages(page)
    await page.goto(`${example.url}/?document=en-alone`)
    await expect(page.getByRole("status")).toHaveText("● Saved · socketio")
    const name = await ownName(page)
    await write(page, "first", " of one person")
    await expect(page.getByRole("status")).toHaveText("● Saved · socketio")
    await example.kill()
    await page.reload()
    await expect.poll(async () => (await linesOn(page))[0]).toBe("Notes of one person")
    expect(await ownName(page)).toBe(name)
    await write(page, "first", ", offline")
    await expect(page.getByRole("status")).toHaveText(/^● (Not connected|Saving)/)
    await page.reload()
    await expect.poll(async () => (await linesOn(page))[0]).toBe("Notes of one person, offline")
    await example.start()
    await hears(page)
    await expect(page.getByRole("status")).toHaveText("● Saved · socketio")
    const other = await page.context().newPage()
    await other.goto(`${example.url}/?document=en-alone`)
    await expect.poll(async () => (await linesOn(other))[0]).toBe("Notes of one person, offline")
  })
})
