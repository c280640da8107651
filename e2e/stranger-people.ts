import { type Browser, expect, type Page } from "@playwright/test"

/** The package whose code a page has under each provider. */
const sdks = { socketio: "socket.io-client", pusher: "pusher-js", ably: "ably" } as const
export type ProviderName = keyof typeof sdks
export const providers = Object.keys(sdks) as ProviderName[]

/** Turbopack, in development, names each module that it puts into a script. */
const sdksIn = (script: string) => providers.filter((name) => script.includes(`/node_modules/${sdks[name]}/`))

/** Two people, each with a browser that has this page open, and the packages of providers that came with it. */
export async function openTwo(
  browser: Browser,
  url: string,
  prepare: (page: Page) => Promise<unknown> = async () => {},
) {
  await using opened = new AsyncDisposableStack()
  const scripts: Promise<string>[] = []
  async function open(): Promise<Page> {
    const context = await browser.newContext()
    opened.defer(() => context.close())
    const page = await context.newPage()
    page.on("response", (response) => {
      // A page that is loaded anew takes the bodies of its scripts with it; they come again.
      if (/\.js(\?|$)/.test(response.url())) scripts.push(response.text().catch(() => ""))
    })
    await prepare(page)
    await page.goto(url)
    return page
  }
  const [alice, bob] = [await open(), await open()]
  const stack = opened.move()
  return {
    ...{ alice, bob },
    downloaded: async () => [...new Set((await Promise.all(scripts)).flatMap(sdksIn))],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export const isConnected = (page: Page, provider: ProviderName = "socketio") =>
  expect(page.getByRole("status")).toHaveText(`${provider}: connected`)

export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text)
  await page.getByRole("button", { name: "Send" }).click()
}

/** What the page shows, without who said it: of what is on its way there is a mark in its place. */
export const textsOn = async (page: Page) =>
  (await page.getByRole("listitem").allTextContents()).map((text) => text.replace(/^[^:…]*: /, ""))

export const shows = (page: Page, texts: readonly string[]) => expect.poll(() => textsOn(page)).toEqual(texts)
