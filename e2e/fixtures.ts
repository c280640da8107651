import {
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  expect as baseExpect,
} from "@playwright/test"
import { explainMissing, tools } from "../scripts/tools.ts"
import { type ChatServers, type Layout, startChat } from "./chat-servers.ts"
import { Person, type PersonOptions, signIn } from "./person.ts"
import { textsOf } from "./texts.ts"

export { expect } from "@playwright/test"

export interface LayoutOptions {
  layout: Layout
}

export interface People {
  /** A person with a browser of their own (cookies, storage), past the welcome page. */
  signIn(name: string, options?: PersonOptions): Promise<Person>
  /** A person with a browser of their own, who comes in by the link that they follow with `joinRoom`. */
  newcomer(name: string, options?: PersonOptions): Promise<Person>
  /** The same person on one more device: another browser with their session. */
  anotherDeviceOf(person: Person, options?: PersonOptions): Promise<Person>
}

/** Why a layout can't be started on this machine. */
function lacking(layout: Layout): string | null {
  if (!layout.startsWith("serverless")) return null
  const missing = [tools.vercel, tools.postgres].find(({ find }) => find() === null)
  return missing ? explainMissing(missing) : null
}

/** Each worker has servers of its own; each test has people of its own. */
export const test = base.extend<
  { people: People; requirements: undefined },
  LayoutOptions & { chat: ChatServers }
>({
  layout: ["one-port", { option: true, scope: "worker" }],
  chat: [
    async ({ layout }, use) => {
      // Its tests are skipped.
      if (lacking(layout)) return use(undefined as never)
      await using chat = await startChat(layout)
      await use(chat)
    },
    { scope: "worker", timeout: 180_000 },
  ],
  baseURL: async ({ chat }, use) => use(chat?.url),
  requirements: [
    async ({ layout }, use, testInfo) => {
      const reason = lacking(layout)
      testInfo.skip(reason !== null, reason ?? "")
      await use(undefined)
    },
    { auto: true },
  ],
  people: async ({ browser, chat }, use) => {
    await using contexts = new AsyncDisposableStack()
    const violations: string[] = []
    async function open(options: BrowserContextOptions): Promise<BrowserContext> {
      const context = await browser.newContext({ baseURL: chat.url, ...options })
      context.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) violations.push(message.text())
      })
      contexts.defer(() => context.close())
      return context
    }
    await use({
      signIn: async (name, options) => signIn(await open(options ?? {}), name, options?.locale),
      async newcomer(name, options) {
        const page = await (await open(options ?? {})).newPage()
        return new Person(page, name, textsOf(options?.locale), { isNewcomer: true })
      },
      async anotherDeviceOf({ page, name, texts }, options) {
        const storageState = await page.context().storageState()
        const context = await open({ ...options, storageState })
        return new Person(await context.newPage(), name, options?.locale ? textsOf(options.locale) : texts)
      },
    })
    // The pages run under the policy that they are sent with.
    baseExpect(violations).toEqual([])
  },
})
