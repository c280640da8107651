import { expect, test } from "@playwright/test"
import { openDevelopment } from "./development.ts"

test("`npm run dev` shows an edit at once, without a reload, and stays connected, on a phone in the same network too", async ({
  playwright,
  launchOptions,
}) => {
  await using development = await openDevelopment((args) =>
    playwright.chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), ...args] }),
  )
  const { project, room, isTheSamePage, hasOneConnection } = development
  await room.send("before the edit")
  await room.composer.fill("half a sentence")

  project.edit("app/rooms/[room]/composer.tsx", ['placeholder={t("placeholder")}', 'placeholder="Edited"'])
  await expect(room.composer).toHaveAttribute("placeholder", "Edited")

  await expect(room.composer).toHaveValue("half a sentence")
  expect(await isTheSamePage()).toBe(true)
  await room.send("after the edit")
  await room.expectWritten(["before the edit", "after the edit"])
  await hasOneConnection()
})
