import type { Page } from "@playwright/test"
import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"

/** Marks piled up on each letter. */
const zalgo = (text: string) =>
  text.replace(/\S/g, (letter) => letter + "\u0300\u0316\u0336\u0489\u033e".repeat(12))

const code =
  "```ts\nexport const answer = 42 // a line that is longer than a narrow screen is wide, by far\n```"

/** One after another; between them plain ones, which must stay as they are. */
const hostile = {
  html: '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script><b>not bold</b>',
  svg: "<svg onload=window.ran=1><a href=javascript:window.ran=1>click</a></svg>",
  javascript: "javascript:window.ran=1 [x](javascript:window.ran=1) JAVASCRIPT://%0awindow.ran=1",
  entities: "&lt;script&gt; &amp; \u0000 \ufeff {{7*7}}",
  override: "\u202egnp.exe \u2067https://example.com/\u2069 **\u202ebold**",
  zalgo: zalgo("zalgo comes for the neighbours"),
  word: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(6),
  url: `https://example.com/${"a".repeat(900)}`,
  emoji: "😀".repeat(2000),
  family: "👨‍👩‍👧‍👦".repeat(360),
  asterisks: "*".repeat(4000),
  openers: "*_あ".repeat(1300),
  quotes: "> ".repeat(1900),
  wide: "﷽".repeat(200),
}

async function expectPlain(page: Page, room: RoomPage): Promise<void> {
  expect(await page.evaluate(() => "ran" in window)).toBe(false)
  await expect(room.log.locator("script, img, svg[onload], iframe, [onerror], [onload]")).toHaveCount(0)
  const links = await room.log
    .getByRole("link")
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).protocol))
  expect(links.filter((protocol) => protocol !== "https:")).toEqual([])
}

const looks = [
  { locale: "en-US", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { locale: "ja-JP", colorScheme: "dark", viewport: { width: 320, height: 640 } },
] as const

for (const look of looks) {
  const { width } = look.viewport
  test(`nothing that is typed runs, breaks the page or touches its neighbours, at ${width} px`, async ({
    people,
  }, testInfo) => {
    const alice = await people.signIn("Alice", look)
    const { page } = alice
    const room = await alice.createRoom("Hostile")
    const last = room.log.getByTestId("message").last()
    const lefts = new Set<number>()
    for (const [name, text] of Object.entries(hostile)) {
      await room.send(text)
      await room.send(`after ${name}`)
      const after = room.log.getByText(`after ${name}`, { exact: true })
      await expect(after).toBeVisible()
      // The plain one is as wide and high as ever: nothing of the one above reaches it.
      const box = await after.boundingBox()
      lefts.add(Math.round(box?.height ?? 0))
      expect(box?.x).toBeGreaterThanOrEqual(0)
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      await expectPlain(page, room)
      await testInfo.attach(name, { body: await page.screenshot(), contentType: "image/png" })
    }
    expect(lefts.size).toBe(1)
    await expect(last).toBeVisible()
    await room.expectAllSent()
    await expect(room.composer).toBeInViewport({ ratio: 1 })
  })

  test(`marks, links, quotes and code look like themselves, at ${width} px`, async ({ people }, testInfo) => {
    const aki = await people.signIn("秋", look)
    const ben = await people.newcomer("Ben")
    const room = await aki.createRoom("書式")
    const his = await ben.joinRoom(room.url)
    await his.expectPresent(["秋", "Ben"])
    await his.send("これは**「重要」**です。*はい*、~~いいえ~~、`code` (*^_^*)")
    await his.send("> 引用の一行目\n> 二行目\n返事です。 https://example.comです。")
    await his.send(code)
    await his.send("@秋 お願いします")
    await his.send("🎉🎉")
    await expect(his.written).toHaveCount(5)
    await his.expectAllSent()
    await room.send("**bold** and *emphasis*, `code`, https://example.com/a_(b).", "> quoted\nanswered", code)
    await room.expectAllSent()

    const { log } = room
    await expect(log.locator("strong").first()).toHaveText("「重要」")
    await expect(log.locator("em").first()).toHaveText("はい")
    await expect(log.locator("del")).toHaveText("いいえ")
    await expect(log.getByText("(*^_^*)")).toBeVisible()
    await expect(log.locator("blockquote").first()).toHaveText("引用の一行目\n二行目")
    const link = log.getByRole("link", { name: "https://example.com", exact: true })
    await expect(link).toHaveAttribute("href", "https://example.com")
    await expect(link).toHaveAttribute("target", "_blank")
    await expect(link).toHaveAttribute("rel", "noopener noreferrer nofollow")
    await expect(log.getByRole("link", { name: "https://example.com/a_(b)", exact: true })).toBeVisible()
    await expect(log.locator("pre").first()).toContainText("answer = 42")
    await expect(log.locator("[data-mention=me]")).toHaveText("@秋")
    expect(await aki.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    await testInfo.attach("format", { body: await aki.page.screenshot(), contentType: "image/png" })
  })
}

test("a direction that is turned around ends with its message, and links are read as they are", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Directions")
  await room.send("\u202eevil", "plain", "\u202ehttps://example.com/", "שלום עולם")
  await expect(room.log.getByText("plain", { exact: true })).toBeVisible()
  /** Where the first and the last character of an element's text are drawn. */
  const orderOf = (text: string) =>
    room.log
      .getByText(text)
      .first()
      .evaluate((element) => {
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
        const node = walker.nextNode() as Text
        const at = (index: number) => {
          const range = document.createRange()
          range.setStart(node, index)
          range.setEnd(node, index + 1)
          return range.getBoundingClientRect().left
        }
        return at(1) < at(node.length - 1) ? "left to right" : "right to left"
      })
  expect(await orderOf("evil")).toBe("right to left")
  expect(await orderOf("plain")).toBe("left to right")
  expect(await orderOf("https://example.com/")).toBe("left to right")
  expect(await orderOf("שלום עולם")).toBe("right to left")
})
