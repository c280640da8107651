import { type BrowserContext, type BrowserContextOptions, expect, type Page } from "@playwright/test"
import { RoomPage } from "./pages/room-page.ts"
import { RoomsPage } from "./pages/rooms-page.ts"
import { WelcomePage } from "./pages/welcome-page.ts"
import { type Texts, textsOf } from "./texts.ts"

export type PersonOptions = Pick<BrowserContextOptions, "locale" | "viewport" | "colorScheme" | "hasTouch">

/** Somebody with a browser, and what they do in it. */
export class Person {
  readonly name: string
  readonly page: Page
  readonly texts: Texts
  #isNewcomer: boolean

  constructor(page: Page, name: string, texts: Texts, { isNewcomer = false } = {}) {
    this.page = page
    this.name = name
    this.texts = texts
    this.#isNewcomer = isNewcomer
  }

  async createRoom(name: string, options?: { isPrivate?: boolean }): Promise<RoomPage> {
    await this.rooms.create(name, options)
    return this.openRoom()
  }

  /** Follows a link to a room, or to an invitation, and joins; a newcomer is asked for a name on the way. */
  async joinRoom(url: string): Promise<RoomPage> {
    await this.page.goto(url)
    if (this.#isNewcomer) await new WelcomePage(this.page, this.texts).enter(this.name)
    this.#isNewcomer = false
    const room = new RoomPage(this.page, this.texts)
    await room.join()
    return room
  }

  /** The room at an address, or the one that is on its way in this tab. */
  async openRoom(url?: string): Promise<RoomPage> {
    if (url) await this.page.goto(url)
    const room = new RoomPage(this.page, this.texts)
    await room.expectConnected()
    return room
  }

  get rooms(): RoomsPage {
    return new RoomsPage(this.page, this.texts)
  }

  /** The same person in one more tab of the same browser. */
  async openTab(): Promise<Person> {
    return new Person(await this.page.context().newPage(), this.name, this.texts)
  }
}

export async function signIn(context: BrowserContext, name: string, locale?: string): Promise<Person> {
  const page = await context.newPage()
  const texts = textsOf(locale)
  await page.goto("/")
  await new WelcomePage(page, texts).enter(name)
  await expect(page.getByRole("heading", { name: texts.rooms.lobby, level: 1 })).toBeVisible()
  return new Person(page, name, texts)
}
