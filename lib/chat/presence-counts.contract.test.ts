import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describePresenceCounts, findPostgres, startPostgres, type TestPostgres } from "throughline/testing"
import { afterAll, beforeAll, describe } from "vitest"
import { openDatabase, openPool } from "./database.ts"
import { createPresenceCounts } from "./presence-counts.ts"

describePresenceCounts({
  name: "sqlite",
  async open(now) {
    const dataDir = mkdtempSync(join(tmpdir(), "throughline-presence-"))
    const database = await openDatabase({ dataDir })
    return {
      counts: createPresenceCounts(database, now),
      async [Symbol.asyncDispose]() {
        await database.destroy()
        rmSync(dataDir, { recursive: true })
      },
    }
  },
})

const isMissing = !findPostgres()

describe.skipIf(isMissing)(isMissing ? "postgres (skipped: PostgreSQL not found)" : "with PostgreSQL", () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres[Symbol.asyncDispose]())

  describePresenceCounts({
    name: "postgres",
    async open(now) {
      const database = await openDatabase({ pool: openPool(postgres.connectionString), dataDir: "" })
      await database.deleteFrom("presence").execute()
      return {
        counts: createPresenceCounts(database, now),
        [Symbol.asyncDispose]: () => database.destroy(),
      }
    },
  })
})
