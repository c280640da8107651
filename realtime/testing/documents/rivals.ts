import "fake-indexeddb/auto"
import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { HocuspocusProvider } from "@hocuspocus/provider"
import { IndexeddbPersistence } from "y-indexeddb"
import { WebsocketProvider } from "y-websocket"
import * as Y from "yjs"
import { createRealtimeClient } from "../../client/create-realtime-client.ts"
import { createHttp } from "../../client/http.ts"
import { createSocketIoTransport } from "../../providers/socketio/client.ts"
import type { ClientConfig } from "../../server/types.ts"
import { createIndexedDbDocuments, type DocumentStore } from "../../yjs/document-store.ts"
import { openDocument } from "../../yjs/open-document.ts"
import { note } from "./shared-notes.ts"

/** A page with the document open. */
export interface RivalPage {
  readonly doc: Y.Doc
  /** Whether an application would show its editor: the document has been there once. */
  readonly canWrite: boolean
  /** Whether it says that it has what the server has. */
  readonly isSynced: boolean
  /**
   * Whether it says that the server has all that was written here. y-websocket never says that: of it this is
   * `synced`, the nearest to it that it says.
   */
  readonly isSaved: boolean
  /** Calls back whenever one of these may have changed. */
  onChange(listener: () => void): void
  /** The person leaves. */
  close(): Promise<void>
  /** The browser was killed, and its network is gone: nothing is kept any more. */
  crash(): Promise<void>
}

/** Opens it by the server's address; with an owner, the browser keeps the document under that name. */
export type Open = (url: string, owner?: string) => RivalPage

/** One way to have shared documents: its server with what it stores on the disk, and its pages. */
export interface Rival {
  readonly name: string
  /** Starts the server: what it stores is in the folder. */
  start(folder: string, port: number): ChildProcess
  /** How pages open, once the server is there. */
  prepare(url: string): Promise<Open>
}

/** However this process ends, what it started does, too. */
const endWithParent = 'data:text/javascript,process.on("disconnect", () => process.exit(0))'

function startServer(file: string, parameters: string[], env: Record<string, string> = {}): ChildProcess {
  return fork(file, parameters, {
    env: { ...process.env, ...env },
    execArgv: ["--import", endWithParent],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  })
}

const ownServer = (name: string) => join(import.meta.dirname, `server-${name}.ts`)

/** What y-websocket and Hocuspocus pages have in common. */
function vendorPage(
  doc: Y.Doc,
  owner: string | undefined,
  provider: { readonly synced: boolean; destroy(): void },
  isSaved: () => boolean,
  listen: (told: () => void) => void,
): RivalPage {
  const kept = owner === undefined ? null : new IndexeddbPersistence(owner, doc)
  let wasThere = false
  const listeners: (() => void)[] = []
  const told = () => {
    wasThere ||= provider.synced || kept?.synced === true
    for (const listener of listeners) listener()
  }
  listen(told)
  kept?.on("synced", told)
  async function close(): Promise<void> {
    provider.destroy()
    await kept?.destroy()
    doc.destroy()
  }
  return {
    doc,
    get canWrite() {
      return wasThere
    },
    get isSynced() {
      return provider.synced
    },
    get isSaved() {
      return isSaved()
    },
    onChange: (listener) => void listeners.push(listener),
    close,
    crash: close,
  }
}

const yWebsocket: Rival = {
  name: "y-websocket 3.1, its server with LevelDB",
  start(folder, port) {
    const root = fileURLToPath(import.meta.resolve("@y/websocket-server/package.json"))
    const env = { HOST: "127.0.0.1", PORT: String(port), YPERSISTENCE: join(folder, "level") }
    return startServer(join(root, "../src/server.js"), [], env)
  },
  prepare: async () => (url, owner) => {
    const doc = new Y.Doc()
    // Pages here are different people's, and all in one process: they would find each other without a server.
    const provider = new WebsocketProvider(url.replace("http", "ws"), "note", doc, { disableBc: true })
    return vendorPage(
      doc,
      owner,
      provider,
      () => provider.synced,
      (told) => {
        provider.on("sync", told)
        provider.on("status", told)
      },
    )
  },
}

const hocuspocus = (label: string, debounce?: number): Rival => ({
  name: `Hocuspocus 4.7 with SQLite, ${label}`,
  start: (folder, port) =>
    startServer(ownServer("hocuspocus"), [
      folder,
      String(port),
      ...(debounce === undefined ? [] : [String(debounce)]),
    ]),
  prepare: async () => (url, owner) => {
    const doc = new Y.Doc()
    const provider = new HocuspocusProvider({ url: url.replace("http", "ws"), name: "note", document: doc })
    const isSaved = () => provider.synced && !provider.hasUnsyncedChanges
    return vendorPage(doc, owner, provider, isSaved, (told) => {
      for (const event of ["synced", "unsyncedChanges", "close"]) provider.on(event, told)
    })
  },
})

/** From the crash on nothing is kept, as the browser would have it. */
function mortal(store: DocumentStore, isDead: () => boolean): DocumentStore {
  const unless = <T>(task: () => Promise<T>) => (isDead() ? Promise.reject(new Error("crashed")) : task())
  return {
    open: (...asked) => unless(() => store.open(...asked)),
    put: (...asked) => unless(() => store.put(...asked)),
    remove: (...asked) => unless(() => store.remove(...asked)),
    close: store.close,
  }
}

const throughline: Rival = {
  name: "Throughline over Socket.IO, its log in SQLite",
  start: (folder, port) => startServer(ownServer("throughline"), [folder, String(port)]),
  async prepare(url) {
    const user = { "x-user": JSON.stringify({ id: "somebody" }) }
    // Each page would be another person's, with the same rights.
    const fetchAs: typeof fetch = (input, init) => {
      const headers = new Headers(init?.headers)
      for (const [name, value] of Object.entries(user)) headers.set(name, value)
      return fetch(input, { ...init, headers })
    }
    const { config } = createHttp({ basePath: `${url}/api/realtime`, fetch: fetchAs })
    const given = (await config()) as unknown as ClientConfig
    return (at, owner) => {
      let isDead = false
      const client = createRealtimeClient({
        config: { ...given, basePath: `${at}/api/realtime`, providers: [{ provider: "socketio", url: at }] },
        providers: { socketio: async () => createSocketIoTransport },
        fetch: fetchAs,
        onError() {},
      })
      const kept = owner === undefined ? undefined : mortal(createIndexedDbDocuments(owner), () => isDead)
      const document = openDocument(client.channel(note), { store: kept })
      client.open()
      async function close(): Promise<void> {
        await document.close()
        kept?.close()
        await client.close()
      }
      return {
        get doc() {
          return document.doc
        },
        get canWrite() {
          return document.canWrite
        },
        get isSynced() {
          return document.status.state === "synced"
        },
        get isSaved() {
          return document.status.state === "synced"
        },
        onChange: (listener) => void document.subscribe(listener),
        close,
        crash() {
          isDead = true
          return close()
        },
      }
    }
  },
}

/** As their guides have them, and with what their settings offer for more safety. */
export const rivals = {
  yWebsocket,
  hocuspocus: hocuspocus("as it is"),
  hocuspocusAtOnce: hocuspocus("`debounce: 0`", 0),
  throughline,
} as const satisfies Record<string, Rival>
