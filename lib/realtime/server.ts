import "server-only"
import { after } from "next/server"
import { loadEnv } from "../env/load.ts"
import { createChat } from "./create.ts"
import { chatOfProcess, type ProcessChat } from "./process-chat.ts"
import { createPublishers } from "./publishers.ts"

async function start(): Promise<ProcessChat> {
  const env = loadEnv()
  const waitUntil = env.isServerless ? (work: Promise<unknown>) => after(work) : undefined
  return { env, ...(await createChat({ env, publishers: await createPublishers(env), waitUntil })) }
}

/** Server: the chat as this process runs it. */
export const getChat = (): Promise<ProcessChat> => chatOfProcess(start)
