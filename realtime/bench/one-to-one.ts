import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { v7 as uuidv7 } from "uuid"
import { createSqliteLog } from "../log/sqlite.ts"
import { measure } from "./load.ts"
import { median, type Pair, type Row, toRow } from "./report.ts"
import { quiet } from "./scenarios.ts"

/** So many times the log's own commit may a publish take longer than bare Socket.IO's echo. */
const allowedCommits = 1.3

/** The log's own commit of one message at the scenario's pace, with nothing around it: the median, in ms. */
async function commit(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "throughline-commit-"))
  const log = createSqliteLog({ path: join(folder, "log.db") })
  const times: number[] = []
  for (let n = 0; n < quiet.messages; n += 1) {
    await delay(1000 / quiet.rate)
    const payload = { text: "x".repeat(100) }
    const started = performance.now()
    await log.append([{ id: uuidv7(), channel: "room:quiet", event: "said", payload, from: { id: "bench" } }])
    times.push(performance.now() - started)
  }
  await log.close()
  rmSync(folder, { recursive: true, force: true })
  return median(times)
}

/**
 * From a publish to its answer, for us from the disk: beside an echo, and a commit that is
 * measured in the same run at the same pace. By turns, as all else.
 */
export async function oneToOne(rounds: number): Promise<Row[]> {
  const metric = "p50 of the answer"
  const answers: Pair[] = []
  const commits: Pair[] = []
  for (let round = 0; round < rounds; round += 1) {
    const control = (await measure(quiet.control, quiet))[metric]
    answers.push({ control, ours: (await measure(quiet.ours, quiet))[metric] })
    commits.push({ control, ours: await commit() })
  }
  const echo = median(answers.map(({ control }) => control))
  const allowed = echo + allowedCommits * median(commits.map(({ ours }) => ours))
  const about = { scenario: quiet.name, against: `the echo of ${quiet.control.name}` }
  return [
    toRow({ ...about, metric, target: `<= ${(allowed / echo).toFixed(2)}` }, answers),
    toRow({ ...about, metric: "p50 of a commit of its own", target: null }, commits),
  ]
}
