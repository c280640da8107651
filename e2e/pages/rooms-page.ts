import { expect, type Locator, type Page } from "@playwright/test"
import type { Texts } from "../texts.ts"

/** The list of rooms beside every room. */
export class RoomsPage {
  readonly #page: Page
  readonly #texts: Texts

  constructor(page: Page, texts: Texts) {
    this.#page = page
    this.#texts = texts
  }

  /** Follows the link in the list. */
  async open(name: string): Promise<void> {
    await this.link(name).click()
    await expect(this.#page.getByRole("heading", { name, level: 1 })).toBeVisible()
  }

  /** What stands beside the room's name. */
  async expectPeople(name: string, count: number, options?: { timeout: number }): Promise<void> {
    const words = count === 1 ? "1 person here" : `${count} people here`
    await expect(this.link(name).getByTitle(words)).toBeVisible(options)
  }

  /** Beside the room's name; null when there is no number. */
  async expectUnread(name: string, count: number | null): Promise<void> {
    await this.#expectBadge(name, "unread", count)
  }

  async expectMentions(name: string, count: number | null): Promise<void> {
    await this.#expectBadge(name, "mentions", count)
  }

  async #expectBadge(name: string, badge: "unread" | "mentions", count: number | null): Promise<void> {
    const shown = this.link(name).getByTestId(badge).locator("span[aria-hidden]")
    if (count === null) await expect(shown).toHaveCount(0)
    else await expect(shown).toHaveText(String(count))
  }

  /** One's own rooms, as they stand from top to bottom. */
  get yours(): Locator {
    return this.#page.getByRole("region", { name: this.#texts.rooms.yours }).getByRole("link")
  }

  /** One of one's own rooms; public ones of the same name may stand below. */
  link(name: string): Locator {
    return this.yours.filter({ has: this.#page.getByText(name, { exact: true }) })
  }

  async create(name: string, options?: { isPrivate?: boolean }): Promise<void> {
    await this.submit(name, options)
    await expect(this.#page.getByRole("heading", { name, level: 1 })).toBeVisible()
  }

  /** Asks for a new room, whatever the server says. */
  async submit(name: string, { isPrivate = false } = {}): Promise<void> {
    const { rooms } = this.#texts
    // On a narrow screen the list of rooms is behind a button.
    const list = this.#page.getByRole("button", { name: rooms.open })
    if (await list.isVisible()) await list.click()
    await this.#page.getByRole("button", { name: rooms.create }).click()
    const dialog = this.#page.getByRole("dialog", { name: rooms.createTitle })
    await dialog.getByRole("textbox", { name: rooms.name }).fill(name)
    if (isPrivate) await dialog.getByText(rooms.isPrivate).click()
    await dialog.getByRole("button", { name: rooms.submit }).click()
  }
}
