import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { connect } from "node:tls"
import Pusher from "pusher"
import { afterEach, describe, expect, it, vi } from "vitest"
import { parseCliOptions } from "./cli-options.ts"
import { startPusherEmulator } from "./pusher/index.ts"
import { createTestCertificate } from "./test-certificate.ts"

const children: ChildProcessWithoutNullStreams[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
})

function start(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [join(import.meta.dirname, "cli.ts"), ...args])
  children.push(child)
  return child
}

async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [line] = (await once(createInterface(child.stdout), "line")) as [string]
  return line
}

async function ending(child: ChildProcessWithoutNullStreams) {
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (data) => {
    output.stdout += data
  })
  child.stderr.on("data", (data) => {
    output.stderr += data
  })
  const [exitCode] = (await once(child, "close")) as [number | null]
  return { ...output, exitCode }
}

describe("npm run emulators", () => {
  it("prints one line of JSON when both are ready, and ends at SIGTERM", async () => {
    const child = start("--pusher-port", "0", "--ably-port", "0", "--app", "7:seven:secret", "--json")
    const { pusher, ably } = JSON.parse(await firstLine(child))
    expect(pusher.apps).toEqual([{ id: "7", key: "seven", secret: "secret" }])
    expect(ably.keys).toEqual(["7.seven:secret"])

    const server = new Pusher({
      appId: "7",
      key: "seven",
      secret: "secret",
      host: pusher.host,
      port: pusher.port,
      useTLS: false,
    })
    expect((await server.trigger("news", "greeting", {})).status).toBe(200)
    const channel = await fetch(`${ably.url}/channels/news/messages`, {
      headers: { authorization: `Basic ${btoa(ably.keys[0])}` },
    })
    expect(channel.status).toBe(200)

    for (const { page } of [pusher, ably]) expect((await fetch(page)).status).toBe(200)

    const ended = ending(child)
    child.kill("SIGTERM")
    expect(await ended).toMatchObject({ exitCode: 0, stderr: "" })
    await expect(fetch(pusher.url)).rejects.toThrow()
  })

  it("prints one line for people, and ends at SIGINT", async () => {
    const child = start("--pusher-port", "0", "--ably-port", "0")
    expect(await firstLine(child)).toMatch(
      /^Pusher http:\S+ \(1:app-key:app-secret\) · Ably http:\S+ \(1\.app-key:app-secret\) · ready$/,
    )
    const ended = ending(child)
    child.kill("SIGINT")
    expect(await ended).toMatchObject({ exitCode: 0, stderr: "" })
  })

  it("speaks TLS on both ports with a certificate, and says which file it can't read", async () => {
    const { key, cert } = createTestCertificate()
    const folder = mkdtempSync(join(tmpdir(), "emulators-"))
    const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")]
    writeFileSync(keyFile, key)
    writeFileSync(certFile, cert)
    const child = start(
      ...["--pusher-port", "0", "--ably-port", "0", "--json", "--tls-key", keyFile, "--tls-cert", certFile],
    )
    const { pusher, ably } = JSON.parse(await firstLine(child))
    expect(pusher).toMatchObject({ url: expect.stringMatching(/^https:/), clientOptions: { forceTLS: true } })
    expect(ably).toMatchObject({ clientOptions: { tls: true, tlsPort: ably.port } })
    for (const { host, port } of [pusher, ably]) {
      const socket = connect({ host, port, ca: cert })
      await once(socket, "secureConnect")
      socket.destroy()
    }

    const { exitCode, stderr } = await ending(start("--tls-key", keyFile, "--tls-cert", "/nowhere.pem"))
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("/nowhere.pem"),
    })
    rmSync(folder, { recursive: true })
  })

  it.each(["pusher", "ably"])("says in one line that the %s port is in use", async (service) => {
    await using taken = await startPusherEmulator()
    const ports = { pusher: "0", ably: "0", [service]: String(taken.port) }
    const { exitCode, stdout, stderr } = await ending(
      start("--pusher-port", ports.pusher, "--ably-port", ports.ably),
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" })
    expect(stderr).toMatch(new RegExp(`^emulators: port ${taken.port} is in use; [^\\n]+\\n$`))
  })

  it("says in one line what is wrong with the command line", async () => {
    const { exitCode, stdout, stderr } = await ending(start("--pusher-prot", "1"))
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" })
    expect(stderr).toBe("emulators: Unknown option '--pusher-prot'\n")
  })
})

describe("npm run emulators -- COMMAND", () => {
  const script = (code: string) => ["--", process.execPath, "-e", code]

  it("runs it with the addresses of both, and ends as it does", async () => {
    const code = `
      const { PUSHER_HOST: host, PUSHER_PORT: port, PUSHER_APP_ID: id, PUSHER_KEY: key, ABLY_API_KEY, ABLY_ENDPOINT, ABLY_PORT } = process.env
      const ably = await fetch("http://" + ABLY_ENDPOINT + ":" + ABLY_PORT + "/channels/news/messages", { headers: { authorization: "Basic " + btoa(ABLY_API_KEY) } })
      const pusher = await fetch("http://" + host + ":" + port + "/apps/" + id + "/channels")
      console.log(ably.status, pusher.status, key)
      process.exit(7)`
    const ended = await Promise.all([1, 2].map(() => ending(start(...script(code)))))
    for (const end of ended) expect(end).toEqual({ stdout: "200 401 app-key\n", stderr: "", exitCode: 7 })
  })

  it("hands a signal on, and ends as the command answers", async () => {
    const child = start(
      ...script(
        'process.on("SIGTERM", () => process.exit(3)); setInterval(() => {}, 1000); console.log("up")',
      ),
    )
    await firstLine(child)
    const ended = ending(child)
    child.kill("SIGTERM")
    expect(await ended).toMatchObject({ exitCode: 3 })
  })

  it.skipIf(process.platform === "win32").each(["SIGKILL", "the command's end"])(
    "leaves nothing of what the command started behind after %s",
    async (end) => {
      const stays = "setInterval(() => {}, 1000)"
      // With a parent that ends before it and, of the two, one that has to be made to end.
      const deaf = end === "SIGKILL" ? `process.on("SIGTERM", () => {}); ` : ""
      const grandchild = `${deaf}console.log(process.pid); ${stays}`
      const code = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { stdio: "inherit" })
        ${end === "SIGKILL" ? stays : "setTimeout(() => process.exit(0), 500)"}`
      const child = start(...script(code))
      const pid = Number(await firstLine(child))
      if (end === "SIGKILL") child.kill("SIGKILL")
      await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), { timeout: 30_000 })
    },
  )

  it("ends where the command can't be started at all", async () => {
    const args = ["--pusher-port", "0", "--ably-port", "0", "--", "/dev/null/command"]
    expect(await ending(start(...args))).toEqual({
      ...{ exitCode: 1, stdout: "" },
      stderr: "emulators: spawn ENOTDIR\n",
    })
  })

  it("says which command there isn't", async () => {
    expect(await ending(start("--", "no-such-command"))).toEqual({
      exitCode: 127,
      stdout: "",
      stderr: "emulators: there is no command no-such-command\n",
    })
  })
})

describe("the command line", () => {
  it.each([
    [["--ably-port", "x"], '--ably-port is a number from 0 (any free one) to 65535, not "x"'],
    [["--pusher-port=-1"], '--pusher-port is a number from 0 (any free one) to 65535, not "-1"'],
    [["--pusher-port", "65536"], '--pusher-port is a number from 0 (any free one) to 65535, not "65536"'],
    [["--app", "a:b"], '--app is id:key:secret, as in 1:app-key:app-secret, not "a:b"'],
    [["--app", "1:a:s", "--app", "1:b:s"], 'two apps have the id "1"; each needs its own'],
    [
      ["--pusher-port", "1", "--ably-port", "1"],
      "--pusher-port and --ably-port are both 1; each needs its own",
    ],
    [["--seed", "often"], '--seed is a whole number, not "often"'],
    [["--tls-key", "key.pem"], "--tls-key and --tls-cert go together"],
    [["--json=yes"], "Option '--json' does not take an argument"],
    [["--"], "-- is followed by the command to run"],
    [["--pusher-port"], "Option '--pusher-port <value>' argument missing"],
    [["more"], "Unexpected argument 'more'"],
  ])("%j: %s", (args, problem) => {
    expect(parseCliOptions(args)).toEqual({ problem })
  })

  it("hands the seed on", () => {
    expect(parseCliOptions(["--seed", "7"])).toMatchObject({ seed: 7 })
  })

  it("takes any free ports for a command, which is told", () => {
    expect(parseCliOptions(["--ably-port", "6002", "--", "npm", "--json"])).toMatchObject({
      ...{ pusherPort: 0, ablyPort: 6002, json: false, command: ["npm", "--json"] },
    })
  })

  it("needs nothing", () => {
    expect(parseCliOptions([])).toEqual({
      pusherPort: 6001,
      ablyPort: 6002,
      apps: [{ id: "1", key: "app-key", secret: "app-secret" }],
      json: false,
      help: false,
    })
  })
})
