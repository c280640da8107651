import type { Page } from "@playwright/test"
import { findJapaneseFont } from "../scripts/tools.ts"
import { expect, test } from "./fixtures.ts"
import type { Person, PersonOptions } from "./person.ts"

test.skip(
  process.platform !== "linux" || !findJapaneseFont(),
  "the pictures to compare with were taken with Debian's fonts (fonts-noto-cjk)",
)

const desktop = { width: 1100, height: 720 }
const phone = { width: 390, height: 720 }

/** What is another one each time: people's colours come from their ids, times from the clock, other rooms from other tests. */
const changing = (page: Page) => [
  page.getByRole("navigation"),
  page.locator("time"),
  page.getByTestId("avatar"),
  page.getByTestId("latency"),
]

async function expectLooks(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0)
  await expect(page).toHaveScreenshot(`${name}.png`, {
    mask: changing(page),
    animations: "disabled",
    // Another release of the browser draws a letter's edge another way; a box that moved is far more than that.
    maxDiffPixelRatio: 0.02,
  })
}

for (const [name, options] of [
  ["desktop-light-en", { viewport: desktop, colorScheme: "light", locale: "en-US" }],
  ["desktop-dark-ja", { viewport: desktop, colorScheme: "dark", locale: "ja-JP" }],
  ["phone-light-ja", { viewport: phone, colorScheme: "light", locale: "ja-JP" }],
  ["phone-dark-en", { viewport: phone, colorScheme: "dark", locale: "en-US" }],
] as const satisfies readonly (readonly [string, PersonOptions])[]) {
  test(`the key views look as they did: ${name}`, async ({ people, browser, chat }) => {
    const context = await browser.newContext({ baseURL: chat.url, ...options })
    const door = await context.newPage()
    await door.goto("/")
    await expectLooks(door, `${name}-welcome`)
    await context.close()

    const aki = await people.signIn("秋", options)
    const ben = await people.newcomer("Ben", { locale: options.locale })
    await expectLooks((await inEmptyRoom(aki)).page, `${name}-empty`)
    const hers = await aki.createRoom("港")
    const his = await ben.joinRoom(hers.url)
    await his.send("おはよう、**Aki**! `npm run dev` is all it takes.", "See https://example.com/")
    await expect(his.written).toHaveCount(2)
    await his.expectAllSent()
    await hers.send("Good morning")
    await hers.message("Good morning").reply()
    await hers.send("いい天気ですね")
    await his.message("Good morning").react("🎉")
    await expect(hers.message("Good morning").reaction("🎉")).toBeVisible()
    await hers.expectAllSent()
    await expect(aki.page.getByTestId("presence-count")).toContainText("2")
    await expectLooks(aki.page, `${name}-conversation`)
  })
}

async function inEmptyRoom(person: Person): Promise<Person> {
  await person.createRoom("静か")
  return person
}
