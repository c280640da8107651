/**
 * A process that appends groups to a SQLite log: `node write-groups.ts ‹file› ‹how many›`. It prints the
 * epoch when it has found the log, and each entry that was acknowledged.
 */
import { randomUUID } from "node:crypto"
import { createSqliteLog } from "../sqlite.ts"

const [path = "", count = "0"] = process.argv.slice(2)
const log = createSqliteLog({ path })
const [head] = await log.heads(["a"])
console.log(head?.epoch)
for (let turn = 0; turn < Number(count); turn += 1) {
  const channels = turn % 2 === 0 ? ["a", "b", "a"] : ["b", "a", "b"]
  const results = await log.append(
    channels.map((channel) => ({ id: randomUUID(), channel, event: "said", payload: { turn }, from: null })),
  )
  for (const [index, { id, seq }] of results.entries()) console.log(`${channels[index]} ${seq} ${id}`)
}
await log.close()
