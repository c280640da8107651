"use client"
import { useCallback, useEffect, useRef } from "react"
import type { AnyChannelDefinition, ChannelRef, SignalEvent, SignalInput, SignalOutput } from "../channel.ts"
import type { Signal } from "../message.ts"
import { useRealtimeClient } from "./context.ts"

/**
 * Browser: listens to a signal and returns how to send one. Sending never rejects: a signal that can't leave
 * now is dropped, as signals may be, and the promise resolves with false.
 *
 * ```ts
 * const sendTyping = useSignal(room({ room: "42" }), "typing", ({ from, payload }) => {
 *   console.log(from.id, payload.isTyping)
 * })
 * void sendTyping({ isTyping: true })
 * ```
 */
export function useSignal<D extends AnyChannelDefinition, E extends SignalEvent<D>>(
  ref: ChannelRef<D>,
  event: E,
  handler?: (signal: Signal<E, SignalOutput<D, E>>) => void,
): (payload: SignalInput<D, E>) => Promise<boolean> {
  const channel = useRealtimeClient().channel(ref)
  const latest = useRef(handler)
  latest.current = handler
  const listens = handler !== undefined

  useEffect(() => {
    if (listens) return channel.onSignal(event, (signal) => latest.current?.(signal))
  }, [channel, event, listens])

  return useCallback(
    (payload) =>
      channel.signal(event, payload).then(
        () => true,
        () => false,
      ),
    [channel, event],
  )
}
