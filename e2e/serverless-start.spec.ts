import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createPostgresLog } from "../realtime/log/postgres.ts"
import { startPostgres } from "../realtime/testing/postgres.ts"
import { projectDir } from "../scripts/run.ts"
import { expect, test } from "./fixtures.ts"
import { type PlatformOptions, startPlatform } from "./serverless/platform.ts"

const started = async (env: PlatformOptions["env"]) => {
  await using platform = await startPlatform({ projectDir, env })
  const { status } = await fetch(`${platform.url}/api/realtime/config`)
  return { status, output: platform.output() }
}

test("without a database it refuses, and says why in words", async () => {
  const { status, output } = await started({
    REALTIME_PROVIDER: "ably",
    ABLY_API_KEY: "app.key:secret",
    SESSION_SECRET: "a secret of the browser tests, long enough",
  })
  expect(status).toBe(500)
  expect(output).toContain("DATABASE_URL")
  expect(output).toContain("does not last")
})

test("everything that is missing is said at once", async () => {
  const { status, output } = await started({ REALTIME_PROVIDER: "pusher", PUSHER_KEY: "key" })
  expect(status).toBe(500)
  for (const name of ["PUSHER_APP_ID", "PUSHER_SECRET", "PUSHER_CLUSTER", "SESSION_SECRET", "DATABASE_URL"])
    expect(output).toContain(name)
})

test("what isn't done when it answers is done before it stands still", async () => {
  await using postgres = await startPostgres()
  const log = createPostgresLog({ connectionString: postgres.connectionString })
  const channel = "room:kept"
  const entry = () => ({
    id: crypto.randomUUID(),
    channel,
    event: "text-sent",
    payload: { text: "x" },
    from: null,
  })
  await log.append([entry(), entry(), entry()])
  await using platform = await startPlatform({
    projectDir,
    env: {
      REALTIME_PROVIDER: "ably",
      ABLY_API_KEY: "app.key:secret",
      SESSION_SECRET: "a secret of the browser tests, long enough",
      DATABASE_URL: postgres.connectionString,
      LOG_RETENTION_MESSAGES: "1",
      CRON_SECRET: "a secret of the host's clock",
    },
  })
  // Nobody is signed in, so that it is over as soon as the function has started; it begins to apply the retention then.
  expect((await fetch(`${platform.url}/api/realtime/config`)).status).toBe(401)
  await expect.poll(async () => (await log.heads([channel]))[0]?.first).toBe(3)

  // A function that goes on is told to by the host's clock; when it answers, it is done.
  const { crons } = JSON.parse(readFileSync(join(projectDir, ".vercel", "output", "config.json"), "utf8"))
  expect(crons).toEqual([expect.objectContaining({ path: "/api/retention" })])
  const ask = (secret: string) =>
    fetch(platform.url + crons[0].path, { headers: { Authorization: `Bearer ${secret}` } })
  for (const first of [5, 7]) {
    await log.append([entry(), entry()])
    expect((await ask("a secret of the host's clock")).status).toBe(200)
    expect((await log.heads([channel]))[0]?.first).toBe(first)
    // By the function's other process, so that the first one is asked again.
    expect((await ask("somebody else's")).status).toBe(401)
  }
  await log.close()
})
