import type { Signal } from "../../message.ts"
import { emitToEach } from "./direct-write.ts"
import { createHeldSignals } from "./held-signals.ts"
import { createLatestSignals } from "./latest-signals.ts"
import { channelRoom } from "./mapping.ts"
import type { GatewayServer } from "./membership.ts"

/** Signals to this gateway's own sockets, and to the other gateways. */
export interface SignalDeliveries {
  /** To everybody in its channel but the connection that sent it; null: the server did. */
  send(signal: Signal, sender: string | null): void
  /** What another gateway has told. */
  sendFromPeer(signal: Signal): void
  close(): void
}

export interface SignalDeliveriesOptions {
  io: GatewayServer
  /** Whether signals wait for this connection to catch up. */
  isBehind(id: string): boolean
  /** Tells the other gateways of what came together from one sender. */
  tell(signal: Signal, more?: readonly Signal[]): void
}

/** Pages know from their definitions which those are. */
const toPage = ({ isLatest: _, ...signal }: Signal): Signal => signal

export function createSignalDeliveries({ io, isBehind, tell }: SignalDeliveriesOptions): SignalDeliveries {
  const { rooms } = io.sockets.adapter
  /** Not `volatile`, which leaves out every connection on which anything at all is just being written. */
  const held = createHeldSignals({
    isBehind,
    isIn: (id, channel) => rooms.get(channelRoom(channel))?.has(id) === true,
    emit: (ids, sent) => emitToEach(io, ids, "signal", ...sent.map(toPage)),
  })
  const latest = createLatestSignals({
    emit(sent, { sender, own }) {
      sendToRoom(sent, sender)
      const [signal, ...more] = own
      if (signal) tell(signal, more)
    },
  })

  /** All of one channel. */
  function sendToRoom(sent: readonly Signal[], sender: string | null): void {
    const ids = new Set(rooms.get(channelRoom(sent[0]?.channel ?? "")))
    if (sender !== null) ids.delete(sender)
    held.send(ids, sent)
  }

  return {
    send(signal, sender) {
      if (signal.isLatest) return latest.send(signal, { sender, isOwn: true })
      sendToRoom([signal], sender)
      tell(signal)
    },
    sendFromPeer(signal) {
      if (signal.isLatest) latest.send(signal, { sender: null, isOwn: false })
      else sendToRoom([signal], null)
    },
    close() {
      latest.close()
      held.close()
    },
  }
}
