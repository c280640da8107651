import type { Env } from "../env/schema.ts"
import type { Chat, declareChat } from "./create.ts"

export interface ProcessChat extends Chat {
  env: Env
}

/** By a name that every copy of this module knows: Next.js bundles one, the server that hosts it loads another. */
const key = Symbol.for("throughline.chat")
const envKey = Symbol.for("throughline.env")
const shared = globalThis as typeof globalThis & { [key]?: Promise<ProcessChat>; [envKey]?: Env }

/**
 * Server: the one chat of this process. The first call starts it, unless the server that hosts the process has; one that failed is
 * tried again by the next. Hot reload loads the modules again and again; connections and files are opened once.
 */
export function chatOfProcess(start: () => Promise<ProcessChat>): Promise<ProcessChat> {
  if (shared[key]) return shared[key]
  const started = start().catch((error: unknown) => {
    if (shared[key] === started) delete shared[key]
    throw error
  })
  shared[key] = started
  return started
}

/** Server: by what the chat of this process runs, where one is hosted: known at once, unlike a chat that is being started. */
export const envOfHost = (): Env | undefined => shared[envKey]

/** Server: hot reload has evaluated the code again; the chat of this process, if it runs, goes by what that declares. */
export async function redefineChat(declare: typeof declareChat): Promise<void> {
  const chat = await shared[key]?.catch(() => null)
  if (chat) chat.realtime.redefine(await declare(chat.access, chat.env))
}

/** Server: makes this the chat of the process until it is closed. */
export function hostChat(chat: ProcessChat): ProcessChat {
  const hosted = Promise.resolve(chat)
  shared[key] = hosted
  shared[envKey] = chat.env
  return {
    ...chat,
    async close() {
      if (shared[key] === hosted) {
        delete shared[key]
        delete shared[envKey]
      }
      await chat.close()
    },
  }
}
