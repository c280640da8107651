import { expect, type Locator } from "@playwright/test"
import type { Person } from "../person.ts"

/** Opens the dialog by which one changes one's name, as `called` by now. */
export async function openNameDialog({ page, texts }: Person, called: string): Promise<Locator> {
  const { rooms, settings, name } = texts
  const list = page.getByRole("button", { name: rooms.open })
  if (await list.isVisible()) await list.click()
  await page.getByRole("button", { name: settings.menu.replace("{name}", called) }).click()
  await page.getByRole("menuitem", { name: settings.changeName }).click()
  const dialog = page.getByRole("dialog", { name: name.title })
  await expect(dialog.getByRole("textbox", { name: name.label })).toBeFocused()
  return dialog
}

export async function changeName(person: Person, from: string, to: string): Promise<void> {
  const { name } = person.texts
  const dialog = await openNameDialog(person, from)
  await dialog.getByRole("textbox", { name: name.label }).fill(to)
  await dialog.getByRole("button", { name: name.submit, exact: true }).click()
  await expect(dialog).toBeHidden()
}
