import { expect, type Locator, type Page } from "@playwright/test"
import { type Texts, typingText } from "../texts.ts"

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

  /** Leaves, and says yes when asked. */
  async leave(): Promise<void> {
    const { menu, leave } = this.#texts.rooms
    await this.#page.getByRole("button", { name: menu }).click()
    await this.#page.getByRole("menuitem", { name: leave }).click()
    await this.#page.getByRole("alertdialog").getByRole("button", { name: leave }).click()
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
    return this.log.getByTestId("message-text")
  }

  /** Exactly these, in this order: nothing lost, nothing twice. All of them accepted by the server. */
  async expectWritten(texts: readonly (string | RegExp)[]): Promise<void> {
    await expect(this.written).toHaveText(texts)
    await this.expectAllSent()
  }

  /** The message with this text. */
  message(text: string | RegExp): MessageOnPage {
    const element = this.log
      .getByTestId("message")
      .filter({ has: this.#page.getByText(text, { exact: true }) })
    return new MessageOnPage(this.#page, element, this.#texts)
  }

  /** One's own messages that the log hasn't taken yet. */
  get notSent(): Locator {
    return this.log.locator("[data-testid=message]:not([data-state=sent])")
  }

  async expectAllSent(): Promise<void> {
    await expect(this.notSent).toHaveCount(0)
  }

  typing(name: string): Locator {
    return this.#page.getByTestId("typing").getByText(typingText(this.#texts, name))
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

  /** Makes void every invitation into the room, and says yes when asked. */
  async withdrawInvitations(): Promise<void> {
    const { rooms } = this.#texts
    await this.#page.getByRole("button", { name: rooms.menu }).click()
    await this.#page.getByRole("menuitem", { name: rooms.withdraw }).click()
    const dialog = this.#page.getByRole("alertdialog", { name: rooms.withdrawTitle })
    await dialog.getByRole("button", { name: rooms.withdrawConfirm, exact: true }).click()
    await expect(dialog).toBeHidden()
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

/** One message, and what can be done with it. */
export class MessageOnPage {
  readonly element: Locator
  readonly #page: Page
  readonly #texts: Texts

  constructor(page: Page, element: Locator, texts: Texts) {
    this.#page = page
    this.element = element
    this.#texts = texts
  }

  get toolbar(): Locator {
    return this.element.getByRole("toolbar", { name: this.#texts.messages.actions })
  }

  /**
   * Presses one of the toolbar's buttons, which show while the pointer is over the message. Pointed at again until they
   * do: a message that arrives meanwhile moves this one away from under the pointer.
   */
  async #press(name: string): Promise<void> {
    const button = this.toolbar.getByRole("button", { name })
    await expect(async () => {
      // From elsewhere: a pointer that stays where it is comes over nothing.
      await this.#page.mouse.move(0, 0)
      await this.element.hover()
      await button.click({ timeout: 15_000 })
    }).toPass()
  }

  async openMenu(): Promise<Locator> {
    await this.#press(this.#texts.messages.more)
    return this.#page.getByRole("menu")
  }

  /** Opens the text, writes another and presses Enter. */
  async edit(text: string): Promise<void> {
    const menu = await this.openMenu()
    await menu.getByRole("menuitem", { name: this.#texts.messages.edit, exact: true }).click()
    await this.editField.fill(text)
    await this.editField.press("Enter")
  }

  get editField(): Locator {
    return this.#page.getByRole("log").getByRole("textbox")
  }

  /** Deletes it and says yes. */
  async delete(): Promise<void> {
    const menu = await this.openMenu()
    await menu.getByRole("menuitem", { name: this.#texts.messages.delete, exact: true }).click()
    const dialog = this.#page.getByRole("alertdialog", { name: this.#texts.messages.deleteTitle })
    await dialog.getByRole("button", { name: this.#texts.messages.delete, exact: true }).click()
    await expect(dialog).toBeHidden()
  }

  /** Tries one's own again that didn't get through. */
  async retry(): Promise<void> {
    await this.element.getByRole("button", { name: this.#texts.messages.retry }).click()
  }

  /** Throws one's own away that didn't get through. */
  async discard(): Promise<void> {
    await this.element.getByRole("button", { name: this.#texts.messages.discard }).click()
  }

  async reply(): Promise<void> {
    await this.#press(this.#texts.messages.reply)
  }

  /** One of the emoji at hand. */
  async react(emoji: string): Promise<void> {
    await this.#press(this.#texts.messages.react)
    await this.#page.getByRole("dialog").getByRole("button", { name: emoji }).first().click()
  }

  reaction(emoji: string): Locator {
    return this.element
      .getByRole("list", { name: this.#texts.messages.reactions })
      .getByRole("button", { name: emoji })
  }
}
