import { type CDPSession, expect, type Locator, type Page } from "@playwright/test"

/** A Japanese input method, as Chromium's own interface for one sees it. */
export class InputMethod {
  readonly #session: CDPSession

  private constructor(session: CDPSession) {
    this.#session = session
  }

  static async of(page: Page): Promise<InputMethod> {
    return new InputMethod(await page.context().newCDPSession(page))
  }

  /** Shows a reading that isn't confirmed yet. */
  async compose(text: string): Promise<void> {
    const { length } = text
    await this.#session.send("Input.imeSetComposition", {
      text,
      selectionStart: length,
      selectionEnd: length,
    })
  }

  /** A key that the input method takes: the page hears of it all the same. Resolves with whether it was part of a composition. */
  async press(field: Locator, key: "Enter" | "Escape"): Promise<boolean> {
    const heard = await field.evaluateHandle((element) => {
      const events: boolean[] = []
      const listen = (event: Event) => events.push((event as KeyboardEvent).isComposing)
      element.addEventListener("keydown", listen, { once: true, capture: true })
      return events
    })
    await this.#session.send("Input.dispatchKeyEvent", {
      ...{ type: "rawKeyDown", key, code: key },
      windowsVirtualKeyCode: key === "Enter" ? 13 : 27,
    })
    await expect.poll(() => heard.evaluate(({ length }) => length)).toBe(1)
    return heard.evaluate(([isComposing]) => isComposing === true)
  }

  /** Ends the composition with what it was converted to. */
  async commit(text: string): Promise<void> {
    await this.#session.send("Input.insertText", { text })
  }

  /** Composes, converts and confirms, with each key that one may press for it; the field has to keep its text to itself. */
  async write(
    field: Locator,
    reading: string,
    converted: string,
    keys: readonly ("Enter" | "Escape")[] = ["Escape", "Enter"],
  ): Promise<void> {
    await field.focus()
    await this.compose(reading)
    const before = await field.inputValue()
    expect(before).toContain(reading)
    for (const key of keys) {
      expect(await this.press(field, key)).toBe(true)
      await expect(field).toHaveValue(before)
    }
    await this.commit(converted)
    await expect(field).toHaveValue(before.replace(reading, converted))
  }
}
