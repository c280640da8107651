import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createSocketIoTransport } from "throughline/socketio/client"
import { createSocketIoPublisher } from "throughline/socketio/server"
import { freePort, waitFor, waitForStart } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { waitLimit } from "../realtime/testing/wait-for.ts"
import { copyProject } from "../scripts/copy-project.ts"

// A copy in which nothing was compiled yet, on a machine that may be busy.
waitLimit.ms = 60_000

const secret = "an internal secret of this test, long enough"
const alice = { id: "alice", name: "Alice" }

/** `server/dev.ts` of the project in a folder; the server that is asked for `health` answers. */
async function startDevelopment(folder: string, args: string[], env: Record<string, string>, health: string) {
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-development-"))
  const child = spawn(process.execPath, ["server/dev.ts", ...args], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH, NODE_ENV: "development", NEXT_TELEMETRY_DISABLED: "1" },
      ...{ DATA_DIR: dataDir, SOCKET_INTERNAL_SECRET: secret, ...env },
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk
    })
  const answers = async () => (await fetch(`${health}/api/health`)).ok
  await waitForStart(child, answers, "the server", { said: () => output })
  return {
    ...{ child, output: () => output },
    async [Symbol.asyncDispose]() {
      await end(child)
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** `npm run dev:split`. */
async function startSplit(folder: string) {
  const [port, gatewayPort] = [await freePort(), await freePort()]
  const url = `http://localhost:${gatewayPort}`
  const env = { PORT: String(port), GATEWAY_PORT: String(gatewayPort) }
  return { ...(await startDevelopment(folder, ["--split"], env, url)), url }
}

async function end(child: ChildProcess): Promise<number | null> {
  const exited = once(child, "exit")
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM")
    await exited
  }
  return child.exitCode
}

describe("`npm run dev:split`", () => {
  it("knows a new event at its gateway, too, once it is declared, and pages stay with it", async () => {
    using project = copyProject()
    await using servers = await startSplit(project.folder)
    const publisher = createSocketIoPublisher({ internalUrl: servers.url, secret })
    const request = { user: alice, body: {}, authorize: async () => {}, acceptPresence: async () => null }
    const transport = createSocketIoTransport({
      config: { provider: "socketio", url: servers.url },
      credentials: () => publisher.credentials(request),
      onError: () => {},
      ...{ firstPauseMs: 20, maxPauseMs: 200 },
    })
    await using _closing = { [Symbol.asyncDispose]: () => transport.close() }
    const wave = async () => {
      const message = { id: crypto.randomUUID(), event: "waved", payload: {} }
      const [result] =
        (await transport.publish?.("lab:alice:018f0000-0000-7000-8000-000000000000", [message])) ?? []
      return result && "error" in result ? result.error.code : result?.receipt.seq
    }
    transport.connect()
    await waitFor(() => transport.status.state === "connected", "a connection")
    expect(await wave()).toBe("event-unknown")

    project.edit(
      "lib/chat/channels.ts",
      ["numbered: z.object(", "waved: nothing, numbered: z.object("],
      ['"numbered",\n', '"numbered", "waved",\n'],
    )
    await waitFor(async () => (await wave().catch(() => null)) === 1, "the new event")

    // What doesn't even parse ends neither of them.
    project.edit("lib/chat/channels.ts", ["export const lab", "export const const lab"])
    await waitFor(() => transport.status.state !== "connected", "the broken gateway's end")
    project.edit("lib/chat/channels.ts", ["export const const lab", "export const lab"])
    await waitFor(async () => (await wave().catch(() => null)) === 2, "the mended gateway")
    expect(servers.child.exitCode).toBeNull()
  })
})

describe("`npm run dev`", () => {
  it("goes by what an .env file says by now, and waits where that is wrong", async () => {
    using project = copyProject()
    const port = await freePort()
    const url = `http://localhost:${port}`
    await using server = await startDevelopment(project.folder, [], { PORT: String(port) }, url)
    const carrier = async () => {
      const answer = await fetch(url, { headers: { "accept-language": "en" } }).catch(() => null)
      return /Right now ([\w.]+) carries/.exec((await answer?.text()) ?? "")?.[1]
    }
    const write = (...lines: string[]) =>
      writeFileSync(join(project.folder, ".env.local"), `${lines.join("\n")}\n`)
    await waitFor(async () => (await carrier()) === "Socket.IO", "the first page")

    write("REALTIME_PROVIDER=pusher", "PUSHER_APP_ID=1", "PUSHER_KEY=key")
    await waitFor(() => server.output().includes("Waiting for the next edit"), "the refusal")
    expect(server.output()).toContain("PUSHER_SECRET")
    expect(server.child.exitCode).toBeNull()

    write(
      "REALTIME_PROVIDER=pusher",
      "PUSHER_APP_ID=1",
      "PUSHER_KEY=key",
      "PUSHER_SECRET=s",
      "PUSHER_CLUSTER=eu",
    )
    await waitFor(async () => (await carrier()) === "Pusher", "the other provider")

    expect(await end(server.child)).toBe(0)
    await expect(fetch(url)).rejects.toThrow()
  })
})
