import { defineChannel } from "../../channel.ts"
import { createClient } from "../../client/create-client.ts"
import { createHttp } from "../../client/http.ts"
import { RealtimeError } from "../../errors.ts"
import { createMemoryLog, createMemoryLogStore } from "../../log/memory.ts"
import { parseUser, type User } from "../../message.ts"
import { createMessageId } from "../../message-id.ts"
import { memoryCapabilities } from "../../providers/memory/capabilities.ts"
import { createMemoryTransport } from "../../providers/memory/client.ts"
import { createMemoryHub } from "../../providers/memory/hub.ts"
import { createMemoryPublisher } from "../../providers/memory/server.ts"
import { createRealtime } from "../../server/create-realtime.ts"
import type { DocumentOptions } from "../../yjs/document-types.ts"
import { openDocument } from "../../yjs/open-document.ts"
import { yjsAwareness, yjsUpdate } from "../../yjs/schema.ts"

const anything = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const

const channels = {
  documents: defineChannel("document:{document}", {
    messages: { update: yjsUpdate(), noted: anything },
    signals: { awareness: yjsAwareness() },
    latest: ["awareness"],
    presence: anything,
  }),
}

export interface DocumentStageOptions {
  /** Who may publish. Default: everybody. */
  mayWrite?: (user: User) => boolean
  /** Who may read. Default: everybody. */
  mayRead?: (user: User) => boolean
}

/** Documents on the memory provider, with a server whose log is at hand. */
export function startDocuments({ mayWrite = () => true, mayRead = () => true }: DocumentStageOptions = {}) {
  const store = createMemoryLogStore()
  const log = createMemoryLog({ store })
  const errors: string[] = []
  const hub = createMemoryHub({
    authorize: (user, channel, action) => realtime.core.authorize(user, channel, action),
    maxPresenceMembers: memoryCapabilities.maxPresenceMembers,
  })
  const realtime = createRealtime({
    ...{ channels, log, publishers: [createMemoryPublisher(hub)] },
    identify: (request) => parseUser(JSON.parse(request.headers.get("x-user") ?? "null")),
    authorize: ({ user, action }) => (action === "publish" ? mayWrite(user) : mayRead(user)),
    onError() {},
  })
  const ref = channels.documents({ document: createMessageId() })
  const clients: { close(): Promise<void> }[] = []
  const requests: string[] = []
  let isCut = false

  /** A page of this person; `isOpen`: it connects. */
  function page(id: string, { isOpen = true } = {}) {
    const client = createClient({
      transport: () =>
        createMemoryTransport({
          ...{ hub, user: { id }, retryMs: 10, onError() {} },
          capabilities: { ...memoryCapabilities, publishesOverConnection: false },
        }),
      http: createHttp({
        basePath: "http://stage.test/api/realtime",
        async fetch(input, init) {
          if (isCut) throw new TypeError("fetch failed")
          const request = new Request(input, init)
          requests.push(new URL(request.url).pathname.split("/").at(-1) ?? "")
          request.headers.set("x-user", JSON.stringify({ id }))
          const { GET, POST } = realtime.handlers
          return request.method === "POST" ? POST(request) : GET(request)
        },
      }),
      headCheck: { connectedMs: 3_600_000, interruptedMs: 3_600_000 },
      presenceGraceMs: 0,
      onError: (error, { stage }) => void errors.push(`${stage}: ${(error as Error).message}`),
    })
    if (isOpen) client.open()
    clients.push(client)
    return { client, channel: client.channel(ref) }
  }

  return {
    ...{ realtime, log, store, hub, ref, errors, page },
    /** What pages have asked for over HTTP, by its last name. */
    requests,
    /** A page with the document open. */
    open(id: string, options: DocumentOptions = {}) {
      const opened = page(id)
      return { ...opened, document: openDocument(opened.channel, options) }
    },
    /** A document that nobody has opened. */
    another: () => channels.documents({ document: createMessageId() }),
    head: () => realtime.head(ref),
    /** The network is gone, until the returned function is called. */
    cutNetwork() {
      isCut = true
      hub.refuseConnections(new RealtimeError("provider-unavailable", { message: "the network is gone" }))
      hub.dropConnections()
      return () => {
        isCut = false
        hub.refuseConnections(null)
      }
    },
    /** Puts something into the log that the server would have refused. */
    plant: (payload: unknown, from: User | null = null) =>
      log.append([
        { id: createMessageId(), channel: ref.name, event: "update", payload: payload as never, from },
      ]),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()))
      await realtime.close()
    },
  }
}
