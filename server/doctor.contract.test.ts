import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findPostgres, findRedis, freePort, startPostgres, startRedis } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { startS3Server } from "#lib/files/testing/s3-server.ts"
import { startEmulator } from "./emulator.ts"
import { runProgram } from "./testing/program.ts"

interface Seen {
  subject: string
  verdict: string
  detail: string
  advice?: string
}

const common = { SESSION_SECRET: "a session secret of this test, long enough", NODE_ENV: "production" }
const folder = () => mkdtempSync(join(tmpdir(), "throughline-doctor-"))

/** `npm run doctor -- --json` with nothing but this environment. */
async function consult(env: Record<string, string>) {
  const { exited, output } = runProgram(
    "doctor.ts",
    { DATA_DIR: folder(), ...common, ...env },
    { parameters: ["--json"] },
  )
  const exitCode = await exited
  const findings = JSON.parse(output.standard) as Seen[]
  const of = (subject: string) => findings.filter((finding) => finding.subject === subject)
  const verdicts = (subject: string) => of(subject).map(({ verdict }) => verdict)
  return { exitCode, findings, of, verdicts, text: output.text }
}

describe("the doctor", () => {
  it("says everything that is missing at once, and how to go on", async () => {
    const { exitCode, findings } = await consult({ REALTIME_PROVIDER: "pusher,ably" })
    expect(exitCode).toBe(1)
    expect(findings.map(({ subject }) => subject)).toEqual([
      ...["PUSHER_APP_ID", "PUSHER_KEY", "PUSHER_SECRET", "ABLY_API_KEY", "PUSHER_CLUSTER"],
    ])
    for (const { advice } of findings) expect(advice).toContain(".env.example")
  })

  it("finds Pusher and Ably well, by the way that a message takes", async () => {
    await using pusher = await startEmulator("pusher", "http://127.0.0.1:9")
    await using ably = await startEmulator("ably", "http://127.0.0.1:9")
    const seen = await consult({ ...pusher.env, ...ably.env, REALTIME_PROVIDER: "pusher,ably" })
    expect(seen.findings.filter(({ verdict }) => verdict !== "ok")).toEqual([])
    expect(seen.exitCode).toBe(0)
    for (const subject of ["Pusher", "Ably"])
      expect(seen.of(subject).map(({ detail }) => detail.replace(/\d+/g, "N"))).toEqual(
        expect.arrayContaining(["connected and joined in N ms", "published and received in N ms"]),
      )
    expect(seen.of("Pusher").at(3)?.detail).toMatch(/^client events are (on|off)/)
  })

  it("says what is wrong with a secret, without showing it", async () => {
    await using pusher = await startEmulator("pusher", "http://127.0.0.1:9")
    const { exitCode, of, text } = await consult({ ...pusher.env, PUSHER_SECRET: "a mistyped one" })
    expect(exitCode).toBe(1)
    expect(of("Pusher")).toEqual([
      expect.objectContaining({ verdict: "failed", advice: expect.stringContaining("PUSHER_SECRET") }),
    ])
    expect(text).not.toContain("a mistyped one")
  })

  it("asks for the gateway where it isn't running, and goes through it where it is", async () => {
    const port = String(await freePort())
    const env = { ...common, REALTIME_PROVIDER: "socketio", PORT: port, DATA_DIR: folder() }
    expect((await consult(env)).of("Gateway")).toEqual([
      expect.objectContaining({ verdict: "skipped", advice: expect.stringContaining("npm start") }),
    ])
    const gateway = runProgram("gateway.ts", env)
    await gateway.whenStarted(() => gateway.output.text.includes("gateway ready"))
    expect((await consult(env)).verdicts("Gateway")).toEqual(["ok", "ok", "ok"])
    const elsewhere = { SOCKET_URL: `http://127.0.0.1:${port}`, SOCKET_INTERNAL_SECRET: "not that gateway's" }
    expect((await consult({ ...env, ...elsewhere })).of("Gateway")).toEqual([
      expect.objectContaining({
        verdict: "failed",
        advice: expect.stringContaining("SOCKET_INTERNAL_SECRET"),
      }),
    ])
    gateway.child.kill("SIGKILL")
  })

  it("tries where files are kept, on this machine or in a bucket", async () => {
    const env = { REALTIME_PROVIDER: "socketio", PORT: String(await freePort()) }
    expect((await consult(env)).verdicts("Files")).toEqual(["ok"])
    await using bucket = await startS3Server()
    expect((await consult({ ...env, ...bucket.env })).of("Files")).toEqual([
      expect.objectContaining({ verdict: "ok", detail: expect.stringContaining(bucket.bucket) }),
    ])
    expect([...bucket.objects.keys()]).toEqual([])
    const mistyped = { ...env, ...bucket.env, FILES_S3_SECRET_ACCESS_KEY: "a mistyped one" }
    const { exitCode, of, text } = await consult(mistyped)
    expect(exitCode).toBe(1)
    expect(of("Files")).toEqual([
      expect.objectContaining({ verdict: "failed", advice: expect.stringContaining("may the key") }),
    ])
    expect(text).not.toContain("mistyped")
  })

  it.skipIf(!findPostgres() || !findRedis())("tries the database and Redis, there or not", async () => {
    await using postgres = await startPostgres()
    await using redis = await startRedis()
    const env = {
      ...{ REALTIME_PROVIDER: "socketio", PORT: String(await freePort()) },
      ...{ DATABASE_URL: postgres.connectionString, REDIS_URL: redis.url },
    }
    const well = await consult(env)
    expect([well.verdicts("PostgreSQL"), well.verdicts("Tables"), well.verdicts("Redis")]).toEqual([
      ...[["ok", "ok"], ["ok"], ["ok"]],
    ])
    await redis.kill()
    await postgres.stop()
    const ill = await consult(env)
    expect([ill.exitCode, ill.verdicts("PostgreSQL"), ill.verdicts("Redis")]).toEqual([
      1,
      ["failed"],
      ["failed"],
    ])
    expect(ill.text).not.toContain("canary-password")
  })
})
