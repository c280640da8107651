import { decodeBody } from "./codec.ts"
import { ablyError, toAblyError } from "./errors.ts"
import type { AblyService, RestRequest, Session, Socket } from "./model.ts"
import { Action } from "./protocol.ts"
import { decodeSegment, errorResponse } from "./rest.ts"

/** An answer that is held open until there is something to say. */
export interface CometResponse {
  /** A part of a streamed answer. */
  write(text: string): void
  end(status: number, text?: string): void
  /** Ends it without an answer. */
  destroy(): void
}

/**
 * The SDK's `comet` and `xhr_polling` transports: a session like that of a WebSocket, carried by HTTP requests. What the service
 * says answers `connect` and `recv`, as JSON arrays of frames: one in each line of a stream, or one for each poll.
 */
export interface Comet {
  handle(request: RestRequest, response: CometResponse): void
  /** The client has given up the request that this answers. */
  abandoned(response: CometResponse): void
}

export interface CometOptions {
  service: AblyService
  accept(socket: Socket, query: URLSearchParams): Session
}

interface CometSession {
  readonly session: Session
  receive(response: CometResponse): void
  isAnsweredBy(response: CometResponse): boolean
  lost(): void
}

/** Characters that are kept for a client that doesn't ask for them; then it is cut off. */
const maxUnread = 4 * 1024 * 1024

export function createComet({ service, accept }: CometOptions): Comet {
  /** By the connection keys that the client was told, one of which its other requests have in their path. */
  const sessions = new Map<string, CometSession>()

  function connect(asked: URLSearchParams, first: CometResponse): void {
    const isStream = asked.get("stream") !== "false"
    let frames: string[] = []
    let unread = 0
    let waiting: CometResponse | undefined = first
    let isOver = false
    let isFlushing = false
    let cancelWatch = () => {}

    /** What is said in one go goes in one answer. */
    function flushSoon(): void {
      if (isFlushing) return
      isFlushing = true
      queueMicrotask(() => {
        isFlushing = false
        flush()
      })
    }

    function flush(): void {
      if (!waiting) return
      if (frames.length > 0) {
        // A CONNECTED among them has a new key, unless it is another session's by now.
        if (!isOver) remember()
        const text = `[${frames.join(",")}]`
        frames = []
        unread = 0
        if (isStream) waiting.write(`${text}\n`)
        else {
          waiting.end(200, text)
          waiting = undefined
          watch()
        }
      }
      if (!isOver) return
      waiting?.end(200, isStream ? undefined : "[]")
      forget()
    }

    /** A client that polls is back at once; one that isn't has gone. */
    function watch(): void {
      cancelWatch = service.clock.schedule(
        () => comet.lost(),
        session.connection?.app.limits.maxIdleInterval ?? 0,
      )
    }

    function remember(): void {
      const key = session.connection?.key
      if (key !== undefined) sessions.set(key, comet)
    }

    function forget(): void {
      cancelWatch()
      waiting = undefined
      for (const [key, known] of sessions) if (known === comet) sessions.delete(key)
    }

    // Frames are JSON, and there are no pings to fill the silence with.
    const query = new URLSearchParams(asked)
    query.set("format", "json")
    query.set("heartbeats", "true")
    const session: Session = accept(
      {
        send(frame) {
          frames.push(String(frame))
          unread += frame.length
          if (unread > maxUnread) return session.cut()
          flushSoon()
        },
        ping() {},
        close() {
          isOver = true
          flushSoon()
        },
        terminate() {
          waiting?.destroy()
          forget()
        },
      },
      query,
    )
    const comet: CometSession = {
      session,
      isAnsweredBy: (response) => waiting === response,
      receive(response) {
        cancelWatch()
        waiting?.end(200, "[]")
        waiting = response
        flush()
      },
      lost() {
        forget()
        session.closed()
      },
    }
    remember()
  }

  function find(key: string): CometSession {
    const found = sessions.get(key)
    // The client comes back with a new `connect`, and resumes.
    if (!found) throw ablyError(80003, "there is no such comet connection any more")
    return found
  }

  /** A client that closes gives up `recv` first, and that may be heard first; it still wants the connection closed. */
  function closeDropped(key: string): boolean {
    const connections = [...service.apps.values()].flatMap((app) => [...app.connections.values()])
    const dropped = connections.find((connection) => !connection.transport && connection.hasKey(key))
    dropped?.receive({ action: Action.CLOSE })
    return dropped !== undefined
  }

  function answer({ method, path, query, body }: RestRequest, response: CometResponse): void {
    const [, , segment = "", what] = path.split("/")
    const key = decodeSegment(segment)
    if (method === "GET" && key === "connect" && what === undefined) {
      connect(query, response)
      return
    }
    if (method === "GET" && what === "close" && closeDropped(key)) {
      response.end(204)
      return
    }
    const { session, receive } = find(key)
    switch (`${method} ${what}`) {
      case "GET recv":
        receive(response)
        return
      case "POST send": {
        const items = decodeBody(body, "json")
        if (!Array.isArray(items)) throw ablyError(40001, "frames are sent as an array")
        for (const item of items) session.receive(JSON.stringify(item))
        break
      }
      case "GET close":
        session.receive(JSON.stringify({ action: Action.CLOSE }))
        break
      case "GET disconnect":
        session.receive(JSON.stringify({ action: Action.DISCONNECT }))
        break
      default:
        throw ablyError(40400, `could not find path: ${path}`)
    }
    response.end(204)
  }

  return {
    handle(request, response) {
      try {
        answer(request, response)
      } catch (error) {
        const { status, body } = errorResponse(toAblyError(error), "json")
        response.end(status, new TextDecoder().decode(body))
      }
    },
    abandoned(response) {
      for (const comet of new Set(sessions.values())) if (comet.isAnsweredBy(response)) comet.lost()
    },
  }
}
