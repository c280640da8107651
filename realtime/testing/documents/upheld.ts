import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { freePort } from "../free-port.ts"
import { waitForStart } from "../wait-for.ts"
import type { Rival } from "./rivals.ts"

/** How long whoever looks after a server takes to see that it has ended. */
const pauseMs = 200

/** A server that comes back when it ends, at the same place and with what it stored. */
export interface Upheld {
  readonly port: number
  readonly url: string
  /** How often it ended by itself. */
  crashes(): number
  /** Ends it: nothing in it has time to do anything any more. */
  kill(): Promise<void>
  /** Resolves when it takes connections. */
  startAgain(): Promise<void>
}

export async function startUpheld(rival: Rival, folder: string): Promise<Upheld> {
  const port = await freePort()
  let server: ChildProcess
  let isWanted = true
  let crashes = 0

  function start(): void {
    server = rival.start(folder, port)
    server.once("exit", () => {
      if (!isWanted) return
      crashes += 1
      setTimeout(() => isWanted && start(), pauseMs)
    })
  }

  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy()
        resolve(true)
      }).on("error", () => resolve(false))
    })

  async function startNow(): Promise<void> {
    start()
    const own = server
    await waitForStart(own, answers, rival.name).catch((error: unknown) => {
      // It was killed before it was there.
      if (isWanted && server === own) throw error
    })
  }

  await startNow()
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    crashes: () => crashes,
    async kill() {
      isWanted = false
      if (server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, "exit")
      server.kill("SIGKILL")
      await ended
    },
    async startAgain() {
      if (isWanted) return
      isWanted = true
      await startNow()
    },
  }
}
