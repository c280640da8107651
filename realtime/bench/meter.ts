import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"

/** What a server under test says of itself: where it is, and what the operating system charged it. */
export interface Reading {
  /** Processor time, user and system, in microseconds. */
  cpu: number
  /** Resident memory, in bytes. */
  memory: number
}

/** Server: says where it listens, then answers each question with a reading. */
export function answerMeter(address: { url: string; token: string }): void {
  process.on("message", () => {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: user + system, memory: process.memoryUsage.rss() })
  })
  process.on("disconnect", () => process.exit(0))
  process.on("SIGTERM", () => process.exit(0))
  process.send?.(address)
}

export interface MeteredServer extends AsyncDisposable {
  url: string
  token: string
  read(): Promise<Reading>
}

/** Load generator: starts a server in a process of its own. */
export async function startMetered(file: string, parameters: string[] = []): Promise<MeteredServer> {
  const child: ChildProcess = fork(join(import.meta.dirname, file), parameters, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  })
  const next = async <T>() => (await once(child, "message"))[0] as T
  const { url, token } = await next<{ url: string; token: string }>()
  return {
    url,
    token,
    async read() {
      const answer = next<Reading>()
      child.send("read")
      return answer
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit")
      child.kill()
      await ended
    },
  }
}
