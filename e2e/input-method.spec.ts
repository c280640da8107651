import { expect, test } from "./fixtures.ts"
import { InputMethod } from "./ime.ts"
import type { Person } from "./person.ts"
import { textsOf } from "./texts.ts"

const editFieldOf = ({ page, texts }: Person) => page.getByRole("textbox", { name: texts.composer.editLabel })

test("the Enter that confirms a conversion sends nothing in the composer, and saves nothing in the field for editing, nor does Esc leave it", async ({
  people,
}) => {
  const aki = await people.signIn("秋", { locale: "ja-JP" })
  const room = await aki.createRoom("変換")
  const ime = await InputMethod.of(aki.page)
  await ime.write(room.composer, "にほんご", "日本語")
  await ime.write(room.composer, "にゅうりょく", "入力")
  await room.composer.press("Enter")
  await room.expectWritten(["日本語入力"])

  await room.composer.press("ArrowUp")
  const field = editFieldOf(aki)
  await expect(field).toBeFocused()
  await ime.write(field, "へんこう", "変更")
  await field.press("Enter")
  await expect(field).toBeHidden()
  await room.expectWritten(["日本語入力変更"])
  await expect(room.composer).toBeFocused()

  await room.composer.press("ArrowUp")
  await field.fill("捨てる")
  await field.press("Escape")
  await expect(field).toBeHidden()
  await room.expectWritten(["日本語入力変更"])
})

test("nor does it search, or choose what was found", async ({ people }) => {
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

test("nor does it choose somebody to mention, or send", async ({ people }) => {
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

test("nor does it send a name, one's own or a room's, before it is written", async ({ browser, chat }) => {
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
