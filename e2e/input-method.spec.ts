import { expect, test } from "./fixtures.ts"
import { InputMethod } from "./ime.ts"
import type { Person } from "./person.ts"

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
