import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { freePort } from "./free-port.ts"
import { type TestPostgres, unprivilegedUser } from "./postgres.ts"
import { waitForStart } from "./wait-for.ts"

/**
 * Its program: what `THROUGHLINE_PGBOUNCER` says, else what is on the PATH or where Debian
 * puts it; null when there is none.
 */
export function findPgBouncer(): string | null {
  const chosen = process.env.THROUGHLINE_PGBOUNCER
  if (chosen) return existsSync(chosen) ? chosen : null
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]
  return folders.map((folder) => join(folder, "pgbouncer")).find((program) => existsSync(program)) ?? null
}

/**
 * A real PgBouncer in transaction mode before a PostgreSQL, with two
 * connections to each database for everybody.
 */
export async function startPgBouncer(
  postgres: TestPostgres,
): Promise<{ connectionString: string } & AsyncDisposable> {
  const program = findPgBouncer()
  if (!program) throw new Error("unable to start PgBouncer; it was not found (THROUGHLINE_PGBOUNCER)")
  const target = new URL(postgres.connectionString.replace("@/", "@localhost/"))
  const folder = mkdtempSync(join(tmpdir(), "throughline-pgbouncer-"))
  const port = await freePort()
  const file = join(folder, "pgbouncer.ini")
  writeFileSync(
    file,
    `[databases]
     * = host=${target.searchParams.get("host")} user=${target.username} password=${target.password}
     [pgbouncer]
     listen_addr = 127.0.0.1
     listen_port = ${port}
     unix_socket_dir =
     auth_type = any
     pool_mode = transaction
     default_pool_size = 2
     max_client_conn = 200`,
  )
  // It refuses to run as root, too.
  const user = unprivilegedUser()
  chmodSync(folder, 0o755)
  if (user) chownSync(file, user.uid, user.gid)
  const child = spawn(program, [file], { ...user, stdio: ["ignore", "ignore", "pipe"] })
  let output = ""
  child.stderr.on("data", (chunk: Buffer) => {
    output = (output + chunk).slice(-4_000)
  })
  const connectionString = `postgres://${target.username}@127.0.0.1:${port}/postgres`
  async function answers(): Promise<true> {
    const { Client } = await import("pg")
    const client = new Client({ connectionString })
    await client.connect()
    await client.end()
    return true
  }
  await waitForStart(child, answers, "PgBouncer", { said: () => output }).catch((error) => {
    child.kill("SIGKILL")
    throw error
  })
  return {
    connectionString,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
