import { join } from "node:path"
import { copyProject } from "../../scripts/copy-project.ts"

/** What a later release may bring that this one has never seen: each a text of this one's and what stands there then. */
const changes: { file: string; from: string; to: string }[] = [
  {
    // A table that grew.
    file: "realtime/log/postgres-schema.ts",
    from: "const migrations: readonly ((schema: string) => string)[] = [",
    to: "const migrations: ((schema: string) => string)[] = [",
  },
  {
    file: "realtime/log/postgres-schema.ts",
    from: "/** Several servers, one clock:",
    to: `migrations.push((schema) => "ALTER TABLE " + schema + ".log_channels ADD COLUMN colour text")

/** Several servers, one clock:`,
  },
  {
    // Messages that say more, in envelopes and between gateways.
    file: "realtime/server/core.ts",
    from: "messages.push({ ...entry, seq, epoch, at })",
    to: 'messages.push({ ...entry, seq, epoch, at, mood: "a later release\'s" } as never)',
  },
  {
    // Notes between gateways of a kind that this one doesn't know.
    file: "realtime/providers/socketio/cluster.ts",
    from: 'tell({ kind: "alive" })',
    to: 'tell({ kind: "alive" }); tell({ kind: "mood", mood: 1 } as never)',
  },
  {
    // Events that its pages don't know.
    file: "realtime/providers/socketio/attach-gateway.ts",
    from: "    answerDirectly(socket)\n",
    to: '    answerDirectly(socket); socket.emit("mood" as never, { mood: 1 } as never)\n',
  },
]

/** The next release, as far as its neighbours can tell: these sources, changed, in a folder of their own. */
export function makeNextRelease(): { folder: string } & Disposable {
  const project = copyProject()
  for (const { file, from, to } of changes) project.edit(file, [from, to])
  return { folder: join(project.folder, "server"), [Symbol.dispose]: () => project[Symbol.dispose]() }
}
