import type { BrowserContext, BrowserContextOptions, Page } from "@playwright/test"
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

  constructor(page: Page, name: string, texts: Texts) {
    this.page = page
    this.name = name
    this.texts = texts
  }

  async createRoom(name: string, options?: { isPrivate?: boolean }): Promise<RoomPage> {
    await this.rooms.create(name, options)
    return this.openRoom()
  }

  /** Follows a link to a room, or to an invitation, and joins. */
  async joinRoom(url: string): Promise<RoomPage> {
    await this.page.goto(url)
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
  return new Person(page, name, texts)
}
