import { expect, type Page } from "@playwright/test"
import type { Texts } from "../texts.ts"

/** Where a newcomer picks a name. */
export class WelcomePage {
  readonly #page: Page
  readonly #texts: Texts

  constructor(page: Page, texts: Texts) {
    this.#page = page
    this.#texts = texts
  }

  async enter(name: string): Promise<void> {
    const { welcome } = this.#texts
    await this.#page.getByRole("textbox", { name: welcome.name }).fill(name)
    await this.#page.getByRole("button", { name: welcome.enter }).click()
    // Whoever goes elsewhere before they are in isn't.
    await expect(this.#page.getByRole("textbox", { name: welcome.name })).toHaveCount(0)
  }
}
