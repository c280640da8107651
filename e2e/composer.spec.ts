import { AxeBuilder } from "@axe-core/playwright"
import type { Locator, Page } from "@playwright/test"
import { expectAccessible } from "./axe.ts"
import { expect, test } from "./fixtures.ts"
import { InputMethod } from "./ime.ts"
import type { Person } from "./person.ts"

const editFieldOf = ({ page, texts }: Person) => page.getByRole("textbox", { name: texts.composer.editLabel })

/** Everything that the page asks for until the test is over. */
function requestsOf(page: Page): string[] {
  const urls: string[] = []
  page.on("request", (request) => urls.push(request.url()))
  return urls
}

const cursorOf = (field: Locator) =>
  field.evaluate((element) => (element as HTMLTextAreaElement).selectionStart)

test("the emoji picker inserts at the cursor, by mouse", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Emoji")
  const { page, texts } = alice
  const urls = requestsOf(page)
  const data = page.waitForResponse(/\/emoji\/.*\/en\/data\.json$/)
  await room.composer.fill("ab")
  await room.composer.press("ArrowLeft")
  await page.getByRole("button", { name: texts.composer.emoji }).click()
  const picker = page.getByRole("dialog", { name: texts.emoji.title })
  await expect(picker.getByRole("searchbox").or(picker.getByRole("textbox"))).toBeFocused()
  await picker.getByRole("gridcell", { name: "Grinning face", exact: true }).click()
  await expect(picker).toBeHidden()
  await expect(room.composer).toBeFocused()
  await expect(room.composer).toHaveValue("a😀b")
  expect(await cursorOf(room.composer)).toBe(3)
  await page.keyboard.type("!")
  await expect(room.composer).toHaveValue("a😀!b")

  // From the app itself, once for good.
  expect((await data).headers()["cache-control"]).toContain("immutable")
  expect(urls.filter((url) => new URL(url).hostname !== new URL(page.url()).hostname)).toEqual([])
})

test("the emoji picker is used by keyboard alone, in Japanese", async ({ people }) => {
  const aki = await people.signIn("秋", { locale: "ja-JP" })
  const room = await aki.createRoom("絵文字")
  const { page, texts } = aki
  await room.composer.fill("猫")
  await page.getByRole("button", { name: texts.composer.emoji }).focus()
  await page.keyboard.press("Enter")
  const picker = page.getByRole("dialog", { name: texts.emoji.title })
  const search = picker.getByRole("searchbox").or(picker.getByRole("textbox"))
  await expect(search).toBeFocused()
  const ime = await InputMethod.of(page)
  await expect(picker.getByRole("gridcell").first()).toBeVisible()
  // Confirming the reading chooses nothing. (Esc empties a field for searching, says Chromium.)
  await ime.write(search, "ねこのかお", "ネコの顔", ["Enter"])
  const cat = picker.getByRole("gridcell", { name: "ネコの顔", exact: true })
  await expect(cat).toBeVisible()
  await page.keyboard.press("ArrowDown")
  await expect(cat).toHaveAttribute("aria-selected", "true")
  await page.keyboard.press("Enter")
  await expect(room.composer).toHaveValue("猫🐱")
  await expect(room.composer).toBeFocused()

  await page.getByRole("button", { name: texts.composer.emoji }).focus()
  await page.keyboard.press("Enter")
  await expect(search).toBeFocused()
  await page.keyboard.press("Escape")
  await expect(picker).toBeHidden()
  await expect(room.composer).toHaveValue("猫🐱")
})

for (const [locale, answer] of [
  ["en-US", "no answer"],
  ["ja-JP", "an error"],
] as const) {
  test(`emoji that can't be fetched say so in words, and come when they are asked for again, after ${answer} in ${locale}`, async ({
    people,
  }) => {
    const alice = await people.signIn("Alice", { locale })
    await alice.createRoom("No emoji")
    const { page, texts } = alice
    const picker = page.getByRole("dialog", { name: texts.emoji.title })
    const failure = picker.getByRole("alert").filter({ hasText: texts.emoji.failed })
    const again = picker.getByRole("button", { name: texts.emoji.retry })
    await page.route("**/api/chat/emoji/**", (route) =>
      answer === "an error" ? route.fulfill({ status: 500, body: "{}" }) : route.abort(),
    )
    await page.getByRole("button", { name: texts.composer.emoji }).click()
    await expect(failure).toBeVisible()
    await expectAccessible(page)
    const asked = page.waitForRequest("**/api/chat/emoji/**")
    await again.click()
    await asked
    await expect(failure).toBeVisible()
    await page.unroute("**/api/chat/emoji/**")
    // By keyboard: it is the next that Tab comes to.
    await page.keyboard.press("Tab")
    await expect(again).toBeFocused()
    await page.keyboard.press("Enter")
    await expect(picker.getByRole("gridcell").first()).toBeVisible()
    await expect(picker.getByRole("searchbox").or(picker.getByRole("textbox"))).toBeFocused()
  })
}

test("emoji that were wanted without a network come by themselves when it is back", async ({ people }) => {
  const alice = await people.signIn("Alice")
  await alice.createRoom("Offline emoji")
  const { page, texts } = alice
  const picker = page.getByRole("dialog", { name: texts.emoji.title })
  await page.context().setOffline(true)
  await page.getByRole("button", { name: texts.composer.emoji }).click()
  await expect(picker.getByRole("alert")).toHaveText(texts.emoji.failed)
  await page.context().setOffline(false)
  await expect(picker.getByRole("gridcell").first()).toBeVisible()
})

test("somebody is mentioned from a list, and sees it", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Mentions")
  const his = await bob.joinRoom(hers.url)
  await hers.expectPresent(["Alice", "Bob"])
  const list = alice.page.getByRole("listbox", { name: alice.texts.mentions.label })

  await hers.composer.pressSequentially("Hello @b")
  await expect(list.getByRole("option")).toHaveText([/Bob/])
  await hers.composer.press("Enter")
  await expect(hers.composer).toHaveValue("Hello @Bob ")
  await expect(list).toBeHidden()
  await hers.composer.press("Enter")
  await expect(his.log.locator("[data-mention=me]")).toHaveText("@Bob")
  await expect(hers.log.locator("[data-mention=other]")).toHaveText("@Bob")

  await hers.composer.pressSequentially("and @bo")
  await list.getByRole("option", { name: /Bob/ }).click()
  await expect(hers.composer).toBeFocused()
  await hers.composer.pressSequentially("again")
  await expect(hers.composer).toHaveValue("and @Bob again")
})

test("names that imitate one another have the same marks wherever they stand", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Imitations")
  const bob = await (await people.signIn("Bob")).joinRoom(room.url)
  // The first letter is Cyrillic.
  for (const name of ["Вob", "Cy"]) await (await people.signIn(name)).joinRoom(room.url)
  await room.expectPresent(["Alice", "Bob", "Вob", "Cy"])

  const { presence, messages } = alice.texts
  const present = alice.page.getByRole("list", { name: presence.label }).getByRole("listitem")
  await expect(present.filter({ hasText: /#[0-9a-z]{4}, / })).toHaveCount(2)
  const label = await present.filter({ hasText: "Bob" }).getAttribute("title")
  const marked = label?.replace(/, .*/, "") ?? ""
  const joined = room.log.locator("[data-event=member-joined]")
  await expect(joined).toHaveCount(1)
  await expect(joined).toContainText(marked)
  await expect(joined).toContainText(messages.joined.replace("{name}", "Cy"))
  await expect(async () => {
    await bob.composer.pressSequentially("Hm")
    await expect(room.typing(marked)).toBeVisible({ timeout: 1_000 })
  }).toPass()

  await room.composer.pressSequentially("@")
  const options = alice.page.getByRole("listbox").getByRole("option")
  await expect(options).toHaveCount(3)
  await expect(options.filter({ hasText: /#[0-9a-z]{4}/ })).toHaveCount(2)
  await expect(options.filter({ hasText: "Cy" })).not.toContainText("#")
  await options.filter({ hasText: "Bob" }).click()
  await room.composer.press("Enter")
  await expect(room.log.locator("[data-mention=other]")).toHaveText(`@${marked.replace(" ", "")}`)
})

test("a draft is the room's, and outlives a reload and the tab", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const one = await alice.createRoom("One")
  const { url } = one
  await one.composer.fill("unfinished")
  await alice.page.reload()
  await expect(one.composer).toHaveValue("unfinished")
  const other = await alice.createRoom("Other")
  await expect(other.composer).toHaveValue("")

  const tab = await alice.openTab()
  await alice.page.close()
  const again = await tab.openRoom(url)
  await expect(again.composer).toHaveValue("unfinished")
  await again.composer.press("Enter")
  await again.expectWritten(["unfinished"])
  await tab.page.reload()
  await expect(again.composer).toHaveValue("")
})

test("grows up to 150 px, breaks lines by Shift and Enter, and shrinks when it is sent", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Growing")
  const heightOf = async () => (await room.composer.boundingBox())?.height ?? 0
  const low = await heightOf()
  await room.composer.pressSequentially("one")
  await room.composer.press("Shift+Enter")
  await room.composer.pressSequentially("two")
  await expect(room.composer).toHaveValue("one\ntwo")
  expect(await heightOf()).toBeGreaterThan(low)
  await room.composer.fill("line\n".repeat(30))
  expect(await heightOf()).toBe(150)
  await room.composer.press("Enter")
  await expect(room.composer).toHaveValue("")
  expect(await heightOf()).toBe(low)
})

test("a paste of 100 kB is refused, said so, and leaves the field in one's hands", async ({
  people,
  browserName,
}) => {
  test.skip(browserName !== "chromium")
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Paste")
  const { page, texts } = alice
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
  await page.evaluate(() => navigator.clipboard.writeText("文字 **a** @Al ".repeat(8_000).slice(0, 100_000)))
  await room.composer.focus()
  await page.keyboard.press("ControlOrMeta+V")
  await expect(room.composer).toHaveValue(/^文字/)
  expect((await room.composer.inputValue()).length).toBe(100_000)
  await expect(room.composer).toHaveAttribute("aria-invalid", "true")
  await expect(page.getByRole("button", { name: texts.composer.send, exact: true })).toBeDisabled()
  await page.keyboard.press("Enter")
  // Each key takes effect before the next one: the field keeps up.
  const slow: number[] = []
  for (const letter of "still here") {
    slow.push(
      await room.composer.evaluate(async (element, letter) => {
        const started = performance.now()
        document.execCommand("insertText", false, letter)
        await new Promise(requestAnimationFrame)
        if (!(element as HTMLTextAreaElement).value.includes(letter)) throw new Error("the key had no effect")
        return performance.now() - started
      }, letter),
    )
  }
  test.info().annotations.push({
    type: "ms from a key to its frame, with 100 kB",
    description: slow.map(Math.round).join(" "),
  })
  await expect(room.composer).toHaveValue(/still here$/)
  await page.keyboard.press("ControlOrMeta+A")
  await page.keyboard.type("short")
  await page.keyboard.press("Enter")
  await room.expectWritten(["short"])
})

test("near the limit the rest is counted, at the limit it is sent, past it never", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Limit")
  const { page } = alice
  await room.composer.fill("x".repeat(3_999))
  await expect(page.getByText("1 character left", { exact: true })).toBeVisible()
  await room.composer.pressSequentially("yz")
  await expect(page.getByText("1 character too many")).toBeVisible()
  await room.composer.press("Enter")
  await expect(room.composer).toHaveValue(/yz$/)
  await room.composer.press("Backspace")
  await room.composer.press("Enter")
  await room.expectWritten([`${"x".repeat(3_999)}y`])
})

test("an answer shows what it answers, and Esc lets go of it", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Answers")
  const { page, texts } = alice
  await room.send("the question")
  await room.expectWritten(["the question"])
  await room.log.getByTestId("message").hover()
  await room.log.getByRole("button", { name: texts.messages.reply }).click()
  const preview = page.getByTestId("reply-preview")
  await expect(preview).toContainText("the question")
  await expect(room.composer).toBeFocused()
  await room.composer.press("Escape")
  await expect(preview).toBeHidden()
})

for (const colorScheme of ["light", "dark"] as const) {
  for (const locale of ["en-US", "ja-JP"]) {
    test(`axe finds nothing in the picker, the list of names and the field for editing, in ${colorScheme} and ${locale}`, async ({
      people,
    }) => {
      const alice = await people.signIn("Alice", { colorScheme, locale })
      const bob = await people.newcomer("Bob")
      const room = await alice.createRoom("Accessible")
      await bob.joinRoom(room.url)
      await room.expectPresent(["Alice", "Bob"])
      const { page, texts } = alice
      const findings = async () => {
        const { violations } = await new AxeBuilder({ page }).analyze()
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
      }
      await room.send("**a** `b` https://example.com @Bob", "> quoted\n```ts\ncode\n```")
      await room.expectAllSent()
      await room.composer.pressSequentially("@")
      await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(1)
      expect(await findings()).toEqual([])
      await room.composer.fill("")
      await room.composer.press("ArrowUp")
      await expect(editFieldOf(alice)).toBeFocused()
      expect(await findings()).toEqual([])
      await editFieldOf(alice).press("Escape")
      await page.getByRole("button", { name: texts.composer.emoji }).click()
      await expect(page.getByRole("gridcell").first()).toBeVisible()
      await page.keyboard.press("ArrowDown")
      expect(await findings()).toEqual([])
    })
  }
}

test("on a phone Enter breaks the line and the button sends", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 390, height: 720 }, hasTouch: true })
  const { page } = alice
  const room = await alice.createRoom("Pocket")
  await expect(room.composer).toHaveAttribute("enterkeyhint", "enter")
  await room.composer.pressSequentially("one")
  await room.composer.press("Enter")
  await room.composer.pressSequentially("two")
  await expect(room.composer).toHaveValue("one\ntwo")
  await page.getByRole("button", { name: alice.texts.composer.send, exact: true }).tap()
  await room.expectWritten(["one\ntwo"])
})
