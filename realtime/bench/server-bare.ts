import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createAdapter } from "@socket.io/redis-streams-adapter"
import { createClient } from "redis"
import { Server } from "socket.io"
import { answerMeter } from "./meter.ts"

/**
 * The control: Socket.IO as its documentation shows it, with none of our code; with a
 * Redis, by its Redis Streams adapter.
 */
const [redisUrl] = process.argv.slice(2)
const http = createServer()
const io = new Server(http, { serveClient: false })
if (redisUrl) {
  const client = createClient({ url: redisUrl })
  await client.connect()
  io.adapter(createAdapter(client))
}

io.on("connection", (socket) => {
  socket.on("join", (room: string, ack: () => void) => {
    void socket.join(room)
    ack()
  })
  socket.on("message", (room: string, text: string, ack: () => void) => {
    io.to(room).emit("message", { room, text, from: socket.id, at: Date.now() })
    ack()
  })
  socket.on("moved", (room: string, payload: unknown) => {
    socket.to(room).emit("moved", { from: socket.id, payload })
  })
  socket.on("everyone", (room: string, text: string, ack: () => void) => {
    io.emit("message", { room, text, from: socket.id, at: Date.now() })
    ack()
  })
})

http.listen(0, "127.0.0.1", () => {
  answerMeter({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, token: "" })
})
