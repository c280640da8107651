import { expect, type Locator, type Page } from "@playwright/test"
import type { Texts } from "../texts.ts"

/** A room that is open: its messages, who is there, where one writes. */
export class RoomPage {
  readonly log: Locator
  readonly composer: Locator
  readonly #page: Page
  readonly #texts: Texts

  constructor(page: Page, texts: Texts) {
    this.#page = page
    this.#texts = texts
    this.log = page.getByRole("log", { name: texts.messages.label })
    this.composer = page.getByRole("textbox", { name: texts.composer.label })
  }

  get url(): string {
    return this.#page.url()
  }

  async join(): Promise<void> {
    const { rooms, invitation } = this.#texts
    const join = this.#page.getByRole("button", { name: rooms.join })
    await join.or(this.#page.getByRole("button", { name: invitation.accept })).click()
    await this.expectConnected()
  }

  async leave(): Promise<void> {
    await this.#page.getByRole("button", { name: this.#texts.rooms.menu }).click()
    await this.#page.getByRole("menuitem", { name: this.#texts.rooms.leave }).click()
    await expect(this.#page).not.toHaveURL(this.url)
  }

  /** Writes and presses Enter, as fast as it goes. */
  async send(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.composer.fill(text)
      await this.composer.press("Enter")
      await expect(this.composer).toHaveValue("")
    }
  }

  /** What people wrote, as it stands on the screen from top to bottom. */
  get written(): Locator {
    return this.log.getByTestId("message").locator("p")
  }

  /** Exactly these, in this order: nothing lost, nothing twice. All of them accepted by the server. */
  async expectWritten(texts: readonly string[]): Promise<void> {
    await expect(this.written).toHaveText(texts)
    await this.expectAllSent()
  }

  /** One's own messages that the log hasn't taken yet. */
  get notSent(): Locator {
    return this.log.locator("[data-testid=message]:not([data-state=sent])")
  }

  async expectAllSent(): Promise<void> {
    await expect(this.notSent).toHaveCount(0)
  }

  typing(name: string): Locator {
    return this.#page.getByTestId("typing").getByText(this.#texts.typing.one.replace("{name}", name))
  }

  /** Exactly these people, each once. */
  async expectPresent(names: readonly string[]): Promise<void> {
    const people = this.#page.getByRole("list", { name: this.#texts.presence.label }).getByRole("listitem")
    await expect(people).toHaveCount(names.length)
    for (const name of names) await expect(people.filter({ hasText: name })).toHaveCount(1)
  }

  /** Connected, and by this provider. */
  async expectVia(provider: string): Promise<void> {
    await expect(this.#page.locator("[data-connection=connected]")).toContainText(provider)
  }

  async expectConnected(): Promise<void> {
    await expect(this.#page.locator("[data-connection=connected]")).toBeVisible()
  }

  /** The page has seen that the connection is gone. */
  async expectInterrupted(): Promise<void> {
    await expect(this.#page.locator("[data-connection=connected]")).toHaveCount(0)
  }

  async invitationLink(): Promise<string> {
    const { rooms } = this.#texts
    await this.#page.getByRole("button", { name: rooms.menu }).click()
    await this.#page.getByRole("menuitem", { name: rooms.invite }).click()
    const dialog = this.#page.getByRole("dialog", { name: rooms.inviteTitle })
    const link = await dialog.getByRole("textbox", { name: rooms.inviteTitle }).inputValue()
    await dialog.getByRole("button", { name: rooms.done }).click()
    await expect(dialog).toBeHidden()
    return link
  }
}
