import { type AnyChannelDefinition, schemaOf } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import { jsonByteLength } from "../message.ts"
import { createMessageId } from "../message-id.ts"
import type { ChannelOptions } from "./channel-options.ts"
import type { Channel, PendingMessage } from "./types.ts"

const defaultTimeoutMs = 15_000

/** A channel's messages on their way out. What the server would refuse is refused before it is sent. */
export function createChannelOutbox(
  { ref: { name }, outbox, maxPayloadBytes }: Pick<ChannelOptions, "ref" | "outbox" | "maxPayloadBytes">,
  definition: () => AnyChannelDefinition,
): Pick<Channel, "publish" | "outbox"> {
  function refusalOf(event: string, payload: unknown): RealtimeError | undefined {
    if (!schemaOf(definition().messages, event)) {
      return new RealtimeError("event-unknown", {
        message: `unable to publish "${event}"; it isn't declared`,
      })
    }
    const bytes = jsonByteLength(payload)
    if (bytes <= maxPayloadBytes) return undefined
    const message = `unable to publish ${bytes} bytes in "${name}"; the limit is ${maxPayloadBytes}`
    return new RealtimeError("message-too-large", { message })
  }

  return {
    async publish(event, payload, { id = createMessageId(), timeoutMs = defaultTimeoutMs } = {}) {
      const error = refusalOf(event, payload)
      if (error) throw error
      return outbox.publish(name, { id, event, payload: payload as JsonValue }, timeoutMs)
    },
    outbox: {
      get messages() {
        return outbox.messages(name) as readonly PendingMessage[]
      },
      subscribe: (listener) => outbox.subscribe(name, listener),
      add(event, payload) {
        const id = createMessageId()
        outbox.add(name, { id, event, payload: payload as JsonValue }, refusalOf(event, payload))
        return id
      },
      retry: outbox.retry,
      discard: outbox.discard,
      arrived: (ids) => outbox.arrived(name, ids),
    },
  }
}
