import type { Clock } from "./clock.ts"
import type { AblyError } from "./errors.ts"
import { type FaultMatch, type Faults, faultError, frameFaults } from "./faults.ts"
import { Action, actionName, type ProtocolMessage } from "./protocol.ts"

/** What a faulty socket can do besides carrying frames. */
export interface FaultySocket {
  cut(): void
  silence(): void
  disconnect(error: AblyError): void
  fail(error: AblyError): void
  /** Answers an inbound frame in the connection's place. */
  reply(message: ProtocolMessage): void
}

export interface Pipe {
  push(message: ProtocolMessage): void
  close(): void
}

/** One direction of one socket: a queue in order, where a rule may strike each frame. */
export function createPipe(options: {
  direction: "inbound" | "outbound"
  faults: Faults
  clock: Clock
  subject(): FaultMatch
  deliver(message: ProtocolMessage): void
  socket: FaultySocket
}): Pipe {
  const { direction, faults, clock, subject, deliver, socket } = options
  let waiting: { message: ProtocolMessage; at: number }[] = []
  let held: ProtocolMessage | undefined
  let cancel: (() => void) | undefined

  function enqueue(message: ProtocolMessage, delayMs = 0) {
    if (waiting.length === 0 && delayMs === 0) return deliver(message)
    const at = Math.max(clock.now() + delayMs, waiting.at(-1)?.at ?? 0)
    waiting.push({ message, at })
    if (!cancel) wait()
  }

  function wait() {
    cancel?.()
    const [first] = waiting
    cancel = first && clock.schedule(release, Math.max(0, first.at - clock.now()))
  }

  function release() {
    cancel = undefined
    const first = waiting.shift()
    if (first) deliver(first.message)
    // Delivering may have closed this pipe, which empties the queue.
    wait()
  }

  /** A frame held for `reorder` follows the one that overtook it. */
  function forward(message: ProtocolMessage, delayMs?: number) {
    const overtaken = held
    held = undefined
    enqueue(message, delayMs)
    if (overtaken) enqueue(overtaken)
  }

  return {
    push(message) {
      const action = actionName(message.action)
      const rule = faults.strike(frameFaults(direction, action), () => ({
        ...subject(),
        direction,
        action,
        channel: message.channel,
      }))
      switch (rule?.fault) {
        case "drop":
          return
        case "duplicate":
          forward(message)
          return enqueue(message)
        case "delay":
          return forward(message, rule.delayMs ?? 1000)
        case "reorder":
          if (held) return forward(message)
          held = message
          return
        case "cut":
          if (rule.when === "after") forward(message)
          return socket.cut()
        case "half-open":
          return socket.silence()
        case "disconnect":
          if (rule.when === "after") forward(message)
          return socket.disconnect(faultError(rule, 80003))
        case "fail":
          return socket.fail(faultError(rule, 50000))
        case "nack":
          return socket.reply({
            action: Action.NACK,
            msgSerial: message.msgSerial ?? 0,
            count: 1,
            error: faultError(rule, 50000).toErrorInfo(),
          })
        case "channel-error":
          return socket.reply({
            action: Action.ERROR,
            channel: message.channel ?? "",
            error: faultError(rule, 50000).toErrorInfo(),
          })
        case "discontinuity":
          return forward({ ...message, channelSerial: "no-such-serial" })
        default:
          return forward(message)
      }
    },
    close() {
      cancel?.()
      cancel = undefined
      waiting = []
      held = undefined
    },
  }
}
