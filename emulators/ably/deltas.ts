import { Action, type Message, type ProtocolMessage } from "./protocol.ts"
import { encodeVcdiff } from "./vcdiff.ts"

/**
 * ably/README.md §5.1 `delta=vcdiff`: what an attachment is sent is, from its second message on, the difference from the
 * message before it, where that is shorter. Each attachment has its own before: one may be spared what another sees.
 */
export function withDeltas(send: (frame: ProtocolMessage) => void): (frame: ProtocolMessage) => void {
  let before: { id: string; payload: Uint8Array } | undefined

  function next(message: Message, id: string): Message {
    const from = before
    const payload = payloadOf(message)
    before = payload && { id, payload }
    if (!from || !payload) return message
    const data = encodeVcdiff(from.payload, payload)
    if (data.length >= payload.length) return message
    const steps = [message.encoding, ...(typeof message.data === "string" ? ["utf-8"] : []), "vcdiff"]
    return {
      ...message,
      data,
      encoding: steps.filter((step) => step !== undefined).join("/"),
      extras: { ...message.extras, delta: { from: from.id, format: "vcdiff" } },
    }
  }

  return (frame) => {
    const { action, id, messages } = frame
    if (action !== Action.MESSAGE || !messages) return send(frame)
    send({
      ...frame,
      messages: messages.map((message, index) => next(message, message.id ?? `${id}:${index}`)),
    })
  }
}

function payloadOf({ data }: Message): Uint8Array | undefined {
  return typeof data === "string" ? new TextEncoder().encode(data) : data
}
