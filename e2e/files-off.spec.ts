import { makePng } from "../lib/files/testing/pictures.ts"
import { expectAccessible } from "./axe.ts"
import { expect, test } from "./fixtures.ts"
import { RoomFiles } from "./pages/room-files.ts"

test.use({ layout: "no-bucket" })

test("where files can't be sent there is no button for it, and whoever tries is told so", async ({
  people,
}) => {
  const aki = await people.signIn("秋", { locale: "ja-JP" })
  const room = await aki.createRoom("言葉だけ")
  const { page, texts } = aki
  const files = new RoomFiles(page, texts)
  const refusal = texts.files.errors["files-off"]
  const notice = page.getByRole("main").getByRole("status").filter({ hasText: refusal })
  await expect(page.getByRole("button", { name: texts.composer.emoji })).toBeVisible()
  await expect(page.getByRole("button", { name: texts.files.attach })).toHaveCount(0)

  await room.composer.fill("書きかけ")
  const drag = await files.drag("dropped.png", makePng(200, 200))
  await drag("dragEnter")
  await drag("dragOver")
  await expect(files.dropZone).toHaveText(refusal)
  await drag("drop")
  await expect(files.dropZone).toBeHidden()
  await expect(notice).toBeVisible()
  await expectAccessible(page)
  await expect(notice).toBeHidden()

  await files.copy(makePng(400, 300))
  await room.composer.press("ControlOrMeta+v")
  await expect(notice).toBeVisible()

  // It is still the same page, and what was written still there to be sent.
  await expect(files.attachments).toHaveCount(0)
  await expect(room.composer).toHaveValue("書きかけ")
  await room.composer.press("Enter")
  await room.expectWritten(["書きかけ"])
})
