import { connect } from "node:net"
import { waitFor } from "./wait-for.ts"

/**
 * Posts a body of 64 MiB, until there is an answer or the connection ends. Resolves with both,
 * and with how many bytes were taken.
 */
export async function sendMuch(
  port: number,
  path: string,
  headers = "",
): Promise<{ answer: string; sent: number }> {
  const socket = connect(port, "127.0.0.1")
  let answer = ""
  socket.on("data", (chunk) => {
    answer += chunk
  })
  socket.on("error", () => {})
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Transfer-Encoding: chunked\r\n\r\n`)
  const chunk = Buffer.from(`10000\r\n${"x".repeat(0x10000)}\r\n`)
  let left = 1024
  const send = () => {
    while (left > 0 && !socket.destroyed) {
      left -= 1
      const isTaken = socket.write(chunk)
      if (left === 0) socket.write("0\r\n\r\n")
      if (!isTaken) return
    }
  }
  socket.on("drain", send)
  send()
  await waitFor(() => socket.destroyed || socket.readableEnded || (left === 0 && answer !== ""))
  const sent = socket.bytesWritten - socket.writableLength
  socket.destroy()
  return { answer, sent }
}
