import { expect, test } from "./fixtures.ts"
import { InputMethod } from "./ime.ts"
import { textsOf } from "./texts.ts"

test("the Enter that confirms a conversion doesn't search, or choose what was found", async ({ people }) => {
  const aki = await people.signIn("秋", { locale: "ja-JP" })
  const { page, texts } = aki
  const room = await aki.createRoom("検索")
  await room.send("日本語で書く", "日本語で読む")
  await room.expectAllSent()
  await page.getByRole("button", { name: texts.search.open }).click()
  const field = page.getByRole("combobox")
  const found = page.getByRole("listbox").getByRole("option")
  const ime = await InputMethod.of(page)
  await ime.write(field, "にほんご", "日本語", ["Enter"])
  await expect(found).toHaveCount(2)
  // With something to choose, too.
  await ime.write(field, "でよむ", "で読む", ["Enter"])
  await expect(found).toHaveCount(1)
  await field.press("Enter")
  await expect(page.getByRole("dialog")).toHaveCount(0)
  await expect(room.message("日本語で読む").element).toBeFocused()
})

test("the Enter that confirms a conversion doesn't choose somebody to mention, or send", async ({
  people,
}) => {
  const aki = await people.signIn("秋", { locale: "ja-JP" })
  const haruko = await people.newcomer("春子", { locale: "ja-JP" })
  const room = await aki.createRoom("名前")
  await haruko.joinRoom(room.url)
  await room.expectPresent(["秋", "春子"])
  const ime = await InputMethod.of(aki.page)
  await room.composer.pressSequentially("@")
  await expect(aki.page.getByRole("option", { name: "春子" })).toBeVisible()
  await ime.write(room.composer, "はる", "春", ["Enter"])
  await expect(room.composer).toHaveValue("@春")
  await expect(room.written).toHaveCount(0)
  await room.composer.press("Enter")
  await expect(room.composer).toHaveValue("@春子 ")
  await room.composer.press("Enter")
  await room.expectWritten(["@春子"])
})

test("the Enter that confirms a conversion doesn't send a name, one's own or a room's, before it is written", async ({
  browser,
  chat,
}) => {
  const context = await browser.newContext({ baseURL: chat.url, locale: "ja-JP" })
  const page = await context.newPage()
  const texts = textsOf("ja-JP")
  await page.goto("/")
  const name = page.getByRole("textbox", { name: texts.welcome.name })
  const ime = await InputMethod.of(page)
  await ime.write(name, "あき", "秋", ["Enter"])
  await expect(name).toBeVisible()
  await name.press("Enter")
  await expect(page.getByRole("heading", { name: texts.rooms.lobby, level: 1 })).toBeVisible()

  await page.getByRole("button", { name: texts.rooms.create }).click()
  const dialog = page.getByRole("dialog", { name: texts.rooms.createTitle })
  const room = dialog.getByRole("textbox", { name: texts.rooms.name })
  await ime.write(room, "みなと", "港", ["Enter"])
  await expect(dialog).toBeVisible()
  await room.press("Enter")
  await expect(page.getByRole("heading", { name: "港", level: 1 })).toBeVisible()
  await context.close()
})
