import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { freePort, waitForStart } from "throughline/testing"

/** Its program: what `THROUGHLINE_NGINX` says, else what is on the PATH or where Debian puts it; null when there is none. */
export function findNginx(): string | null {
  const chosen = process.env.THROUGHLINE_NGINX
  if (chosen) return existsSync(chosen) ? chosen : null
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]
  return folders.map((folder) => join(folder, "nginx")).find((program) => existsSync(program)) ?? null
}

/** The configuration that is shipped. */
export const shippedSite = readFileSync(
  join(import.meta.dirname, "../../deploy/nginx/throughline.conf"),
  "utf8",
)

/** What the guide to deploying shows for an app of one's own. */
export const guideSite =
  /```nginx\n([\s\S]*?)```/.exec(
    readFileSync(join(import.meta.dirname, "../../docs/guides/deploying.md"), "utf8"),
  )?.[1] ?? ""

/** The least that makes nginx a proxy: it asks for `Host: throughline`, and passes no upgrade on. */
export const defaultSite = (more = "") => `
  upstream throughline { server 127.0.0.1:3000; }
  server { listen 80; location / { proxy_pass http://throughline; ${more} } }`

/** A real nginx before these processes, with the configuration that is shipped or another one on port 80 for one on port 3000. */
export async function startNginx(
  ports: readonly number[],
  configuration: string = shippedSite,
): Promise<{ url: string; logFile: string; restart(): Promise<void> } & AsyncDisposable> {
  const program = findNginx()
  if (!program) throw new Error("unable to start nginx; it was not found (THROUGHLINE_NGINX)")
  const folder = mkdtempSync(join(tmpdir(), "throughline-nginx-"))
  const logFile = join(folder, "access.log")
  const port = await freePort()
  const servers = ports.map((each) => `server 127.0.0.1:${each} max_fails=1 fail_timeout=2s;`)
  const site = configuration
    .replace("listen 80;", `listen 127.0.0.1:${port};`)
    .replace(/server 127\.0\.0\.1:3000.*;/, servers.join("\n"))
    .replace(/(?<=access_log )\S+/, logFile)
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join("\n")
  const root = process.getuid?.() === 0 ? "user root;" : ""
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; ${root} pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
     events { worker_connections 1024; }
     http { access_log off; ${temporary} ${site} }`,
  )
  const url = `http://127.0.0.1:${port}`
  let child = start()

  function start() {
    const parameters = ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")]
    return spawn(program as string, parameters, { stdio: ["ignore", "ignore", "inherit"] })
  }

  const answers = () =>
    waitForStart(child, () => fetch(url, { signal: AbortSignal.timeout(2_000) }), "nginx", {
      said: () => readFileSync(join(folder, "error.log"), "utf8"),
    }).catch(async (error) => {
      await stop()
      throw error
    })

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGTERM")
    await once(child, "exit")
  }

  await answers()
  return {
    url,
    /** What the shipped configuration logs of requests. */
    logFile,
    /** Cuts everybody off and starts it again. */
    async restart() {
      await stop()
      child = start()
      await answers()
    },
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
