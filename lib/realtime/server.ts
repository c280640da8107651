import "server-only"
import { after } from "next/server"
import type { ErrorContext } from "throughline"
import { loadEnv } from "../env/load.ts"
import type { Env } from "../env/schema.ts"
import { logFailure } from "../operations/process-log.ts"
import { createChat, declareChat } from "./create.ts"
import { chatOfProcess, envOfHost, type ProcessChat, redefineChat } from "./process-chat.ts"
import { createPublishers } from "./publishers.ts"

async function start(): Promise<ProcessChat> {
  const env = loadEnv()
  const waitUntil = waitUntilOf(env)
  return { env, ...(await createChat({ env, publishers: await createPublishers(env), waitUntil })) }
}

const waitUntilOf = ({ isServerless }: Env) =>
  isServerless ? (work: Promise<unknown>) => after(work) : undefined

// Evaluated again after each edit of what it imports.
if (process.env.NODE_ENV === "development") void redefineChat(declareChat)

/** Server: the chat as this process runs it. */
export const getChat = (): Promise<ProcessChat> => chatOfProcess(start)

/** Server: this process's environment, which waits for no chat: that may start slowly, or not at all. */
export const getEnv = (): Env => envOfHost() ?? loadEnv()

/** Server: logs a failure that is the operator's to know and keeps nobody from what they do; while the chat can't be started, too. */
export async function report(error: unknown, context: ErrorContext): Promise<void> {
  await logFailure(error, context, getEnv().LOG_LEVEL)
}
