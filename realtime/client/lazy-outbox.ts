import { type OnError, RealtimeError } from "../errors.ts"
import { createDownload } from "./download.ts"
import type { Outbox } from "./outbox.ts"
import { createOutboxEntries, type OutboxEntries, toEntry } from "./outbox-entries.ts"
import { closedError, longestTimerMs } from "./publish-limits.ts"

export interface LazyOutboxOptions {
  /**
   * Downloads the outbox's code; called when there is something to send, and with `isKept` once it is opened;
   * again after a failure.
   */
  load(): Promise<(entries: OutboxEntries) => Outbox>
  /** An earlier page may have left something behind. */
  isKept: boolean
  onError: OnError
}

/**
 * An outbox whose code is downloaded when it is first needed. Until it is there it shows what is added, which
 * lives as long as the page then, and what it was asked for waits, in order.
 */
export function createLazyOutbox({ load, isKept, onError }: LazyOutboxOptions): Outbox {
  const entries = createOutboxEntries(onError)
  let outbox: Outbox | null = null
  let isOpen = false
  let isClosed = false
  const calls = new Set<(outbox: Outbox) => void>()
  /** Of those who wait for what they published. */
  const endings = new Set<(reason: RealtimeError) => void>()
  const download = createDownload({
    ...{ stage: "load the outbox", load, onError },
    isWanted: () => !outbox && (calls.size > 0 || (isKept && isOpen)),
    onLoaded(create) {
      if (outbox) return
      outbox = create(entries)
      if (isOpen) outbox.open()
      else if (isClosed) outbox.close()
      for (const call of calls) call(outbox)
      calls.clear()
      endings.clear()
    },
  })

  function ask(call: (outbox: Outbox) => void): void {
    if (outbox) call(outbox)
    else {
      calls.add(call)
      download.start()
    }
  }

  return {
    messages: entries.messages,
    subscribe: entries.subscribe,
    add(channel, message, error) {
      if (!outbox) entries.add(toEntry(channel, message, error))
      ask((loaded) => loaded.add(channel, message, error))
    },
    publish(channel, message, timeoutMs) {
      if (outbox) return outbox.publish(channel, message, timeoutMs)
      if (isClosed) return Promise.reject(closedError())
      const endsAt = performance.now() + timeoutMs
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => end(notLoaded()), Math.min(timeoutMs, longestTimerMs))
        const call = (loaded: Outbox) => {
          clearTimeout(timer)
          loaded.publish(channel, message, endsAt - performance.now()).then(resolve, reject)
        }
        function end(reason: RealtimeError): void {
          clearTimeout(timer)
          calls.delete(call)
          endings.delete(end)
          reject(reason)
        }
        endings.add(end)
        ask(call)
      })
    },
    retry: (id) => ask((loaded) => loaded.retry(id)),
    discard(id) {
      if (!outbox) entries.forget(id)
      ask((loaded) => loaded.discard(id))
    },
    arrived(channel, ids) {
      // What an earlier page left behind isn't known yet, and is sent again at worst, under its id.
      if (outbox || entries.inOrder(channel).some(({ id }) => ids.has(id)))
        ask((loaded) => loaded.arrived(channel, ids))
    },
    open() {
      isOpen = true
      isClosed = false
      if (outbox) outbox.open()
      else download.start()
    },
    wake(channel) {
      if (outbox) outbox.wake(channel)
      else download.start()
    },
    close() {
      isOpen = false
      isClosed = true
      outbox?.close()
      for (const end of endings) end(closedError())
      if (calls.size === 0) download.stop()
    },
  }
}

const notLoaded = () =>
  new RealtimeError("timeout", {
    message: "unable to publish; the code that sends didn't come in its time",
  })
