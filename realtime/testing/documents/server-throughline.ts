import { subscribe } from "node:diagnostics_channel"
import { createServer, type IncomingMessage } from "node:http"
import { join } from "node:path"
import { Server } from "socket.io"
import { createSqliteLog } from "../../log/sqlite.ts"
import { parseUser } from "../../message.ts"
import { attachGateway, createBroadcaster } from "../../providers/socketio/gateway.ts"
import { createRealtime } from "../../server/create-realtime.ts"
import { createDocumentCompactor } from "../../yjs/compactor.ts"
import { answerHandlers } from "../answer-handlers.ts"
import { notes } from "./shared-notes.ts"

/**
 * A gateway with documents, its log in SQLite in the folder and at the port of its arguments, with the
 * compactor as the guide has it. `/requests` answers with how many requests have come, handshakes of
 * WebSockets among them.
 */
const [folder = "", port = ""] = process.argv.slice(2)
const http = createServer()
const broadcaster = createBroadcaster({
  io: new Server(http, { serveClient: false }),
  secret: "the same after a restart, so that tickets outlive it",
})
const realtime = createRealtime({
  channels: { notes },
  log: createSqliteLog({ path: join(folder, "log.db") }),
  publishers: [broadcaster.publisher],
  identify: (request) => parseUser(JSON.parse(request.headers.get("x-user") ?? "null")),
  authorize({ channel, action }) {
    if (action === "publish") compactor.published(notes(channel.params))
    return true
  },
})
// Looked at after a second, and not after ten: the programmes are short.
const compactor = createDocumentCompactor({ realtime, trim: true, delayMs: 1_000 })
attachGateway({ broadcaster, core: realtime.core })

let requests = 0
const count = ({ url }: IncomingMessage) => {
  if (url !== "/requests") requests += 1
}
// Long polling, which Socket.IO answers by itself, is seen here as well.
subscribe("http.server.request.start", (message) => count((message as { request: IncomingMessage }).request))
http.on("upgrade", count)
http.on("request", (request, response) => {
  if (request.url === "/requests") response.end(String(requests))
  else if (request.url?.startsWith("/api/")) void answerHandlers(realtime.handlers, request, response)
})
http.listen(Number(port), "127.0.0.1")
