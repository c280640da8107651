import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, type Locator, type Page } from "@playwright/test"
import type { Texts } from "../texts.ts"

export interface GivenFile {
  name: string
  mimeType: string
  buffer: Buffer
}

/** What is attached in an open room: the tray over the field, and the files of its messages. */
export class RoomFiles {
  readonly tray: Locator
  readonly attachments: Locator
  readonly dropZone: Locator
  readonly viewer: Locator
  readonly #page: Page
  readonly #texts: Texts

  constructor(page: Page, texts: Texts) {
    this.#page = page
    this.#texts = texts
    this.tray = page.getByRole("list", { name: texts.files.tray })
    this.attachments = page.getByTestId("attachment")
    this.dropZone = page.getByTestId("drop-zone")
    this.viewer = page.getByRole("dialog")
  }

  /** Through the button and the browser's own picker. */
  async pick(...files: GivenFile[]): Promise<void> {
    const chooser = this.#page.waitForEvent("filechooser")
    await this.#page.getByRole("button", { name: this.#texts.files.attach }).click()
    await (await chooser).setFiles(files)
  }

  /** Puts a picture into the clipboard. */
  async copy(png: Buffer): Promise<void> {
    await this.#page.context().grantPermissions(["clipboard-read", "clipboard-write"])
    await this.#page.evaluate(async (encoded) => {
      const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
      const type = "image/png"
      await navigator.clipboard.write([new ClipboardItem({ [type]: new Blob([bytes], { type }) })])
    }, png.toString("base64"))
  }

  /** A file at the pointer, over the page: what is returned moves it, or lets go of it. */
  async drag(name: string, content: Buffer) {
    const path = join(mkdtempSync(join(tmpdir(), "throughline-drop-")), name)
    writeFileSync(path, content)
    const session = await this.#page.context().newCDPSession(this.#page)
    return (type: "dragEnter" | "dragOver" | "drop") =>
      session.send("Input.dispatchDragEvent", {
        ...{ type, x: 200, y: 200, data: { items: [], files: [path], dragOperationsMask: 1 } },
      })
  }

  async expectReady(count: number): Promise<void> {
    await expect(this.attachments).toHaveCount(count)
    await expect(this.#page.locator("[data-testid=attachment][data-state=ready]")).toHaveCount(count)
  }

  /** Sends what is attached, with what is written. */
  async send(): Promise<void> {
    await this.#page.getByRole("button", { name: this.#texts.composer.send, exact: true }).click()
    await expect(this.attachments).toHaveCount(0)
  }

  /** A picture in a message, by its name. */
  picture(name: string): Locator {
    return this.#page.getByRole("img", { name: this.#texts.files.picture.replace("{name}", name) })
  }

  /** The picture is there, and so are its pixels. */
  async expectShown(name: string): Promise<void> {
    const picture = this.picture(name)
    await expect(picture).toBeVisible()
    await expect
      .poll(() => picture.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0))
      .toBe(true)
  }

  enlarge(name: string): Locator {
    return this.#page.getByRole("button", { name: this.#texts.files.enlarge.replace("{name}", name) })
  }

  download(name: string): Locator {
    return this.#page.getByRole("link", { name: this.#texts.files.download.replace("{name}", name) })
  }
}
