import "server-only"
import { after } from "next/server"
import { loadEnv } from "../env/load.ts"
import { createChat, declareChat } from "./create.ts"
import { chatOfProcess, type ProcessChat, redefineChat } from "./process-chat.ts"
import { createPublishers } from "./publishers.ts"

async function start(): Promise<ProcessChat> {
  const env = loadEnv()
  const waitUntil = env.isServerless ? (work: Promise<unknown>) => after(work) : undefined
  return { env, ...(await createChat({ env, publishers: await createPublishers(env), waitUntil })) }
}

// Evaluated again after each edit of what it imports.
if (process.env.NODE_ENV === "development") void redefineChat(declareChat)

/** Server: the chat as this process runs it. */
export const getChat = (): Promise<ProcessChat> => chatOfProcess(start)
