import { test as base } from "@playwright/test"
import { type ChatServers, type Layout, startChat } from "./chat-servers.ts"
import { type Person, type PersonOptions, signIn } from "./person.ts"

export { expect } from "@playwright/test"

export interface LayoutOptions {
  layout: Layout
}

interface People {
  /** A person with a browser of their own (cookies, storage), past the welcome page. */
  signIn(name: string, options?: PersonOptions): Promise<Person>
}

/** Each worker has servers of its own; each test has people of its own. */
export const test = base.extend<{ people: People }, LayoutOptions & { chat: ChatServers }>({
  layout: ["one-port", { option: true, scope: "worker" }],
  chat: [
    async ({ layout }, use) => {
      await using chat = await startChat(layout)
      await use(chat)
    },
    { scope: "worker", timeout: 90_000 },
  ],
  baseURL: async ({ chat }, use) => use(chat.url),
  people: async ({ browser, chat }, use) => {
    await using contexts = new AsyncDisposableStack()
    await use({
      async signIn(name, options) {
        const context = await browser.newContext({ baseURL: chat.url, ...options })
        contexts.defer(() => context.close())
        return signIn(context, name, options?.locale)
      },
    })
  },
})
