import { test as base } from "@playwright/test"
import { explainMissing, tools } from "../scripts/tools.ts"
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
    { scope: "worker", timeout: 90_000 },
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
    await use({
      async signIn(name, options) {
        const context = await browser.newContext({ baseURL: chat.url, ...options })
        contexts.defer(() => context.close())
        return signIn(context, name, options?.locale)
      },
    })
  },
})
