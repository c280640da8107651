import "server-only"
import { after } from "next/server"
import { loadEnv } from "../env/load.ts"
import type { Env } from "../env/schema.ts"
import { type Chat, createChat } from "./create.ts"
import { createPublishers } from "./publishers.ts"

interface Runtime extends Chat {
  env: Env
}

/** Hot reload loads this module again and again; connections and files are opened once. */
const key = Symbol.for("throughline.chat")
const shared = globalThis as typeof globalThis & { [key]?: Promise<Runtime> }

async function start(): Promise<Runtime> {
  const env = loadEnv()
  const waitUntil = env.isServerless ? (work: Promise<unknown>) => after(work) : undefined
  return { env, ...(await createChat({ env, publishers: await createPublishers(env), waitUntil })) }
}

/** Server: the chat as this process runs it. The first call starts it; one that failed is tried again by the next. */
export function getChat(): Promise<Runtime> {
  shared[key] ??= start().catch((error: unknown) => {
    delete shared[key]
    throw error
  })
  return shared[key]
}
