import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Database } from "@hocuspocus/extension-database"
import { Server } from "@hocuspocus/server"

/**
 * Hocuspocus with its documents in SQLite, in the folder and at the port of its arguments; with a third one,
 * it stores them after so many milliseconds. Its own `@hocuspocus/extension-sqlite` needs a program that is
 * built when it is installed: this has its table and its statements, on the SQLite of Node.
 */
const [folder = "", port = "", debounce] = process.argv.slice(2)
const database = new DatabaseSync(join(folder, "documents.db"))
database.exec(
  `CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))`,
)
const select = database.prepare(`SELECT data FROM "documents" WHERE name = $name ORDER BY rowid DESC`)
const upsert = database.prepare(
  `INSERT INTO "documents" ("name", "data") VALUES ($name, $data) ON CONFLICT(name) DO UPDATE SET data = $data`,
)

await new Server({
  ...{ port: Number(port), address: "127.0.0.1", quiet: true, stopOnSignals: false },
  ...(debounce !== undefined && { debounce: Number(debounce) }),
  extensions: [
    new Database({
      fetch: async ({ documentName }) =>
        (select.get({ name: documentName })?.data as Uint8Array | undefined) ?? null,
      store: async ({ documentName, state }) => {
        upsert.run({ name: documentName, data: state })
      },
    }),
  ],
}).listen()
