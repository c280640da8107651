import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { SharedFile } from "#lib/chat/channels.ts"
import type { KeptFiles } from "#lib/files/kept-files.ts"
import messages from "#lib/i18n/messages/en.json"
import { waitFor } from "../../../../realtime/testing/wait-for.ts"
import { type SendFileOptions, sendFile, UploadError } from "./send-file.ts"
import { createUploads } from "./uploads.ts"

const noPreview = () => ""

beforeEach(() => {
  // jsdom draws nothing.
  URL.createObjectURL = noPreview
})
afterEach(() => {
  disk.clear()
  sessionStorage.clear()
  localStorage.clear()
  vi.unstubAllGlobals()
})

interface Sending extends SendFileOptions {
  file: File
  resolve(shared: SharedFile): void
  reject(error: unknown): void
}

/** What a browser keeps, which outlives each page of it. */
const disk = new Map<string, File>()
const files: KeptFiles = {
  async put(key, file) {
    disk.set(key, file)
  },
  get: async (key) => disk.get(key) ?? null,
  async remove(key) {
    disk.delete(key)
  },
}

/** Uploads whose sending a test ends as it likes. */
function setup(openFiles = async () => files) {
  const sendings: Sending[] = []
  const send = (file: File, options: SendFileOptions) =>
    new Promise<SharedFile>((resolve, reject) => {
      options.signal.addEventListener("abort", () => reject(options.signal.reason))
      sendings.push({ ...options, file, resolve, reject })
    })
  const uploads = createUploads({ owner: "me", roomId: "1", send, openFiles })
  const states = () => uploads.state().attachments.map(({ name, state }) => `${name} ${state}`)
  return { uploads, sendings, states }
}

const fileOf = (name: string) => new File(["x"], name)
const sharedOf = (name: string): SharedFile => ({ id: `id of ${name}`, name, type: "text/plain", size: 1 })
const settled = () => new Promise((resolve) => setTimeout(resolve))

describe("what is attached to a message", () => {
  it("is sent two at a time, and taken once it is ready", async () => {
    const { uploads, sendings, states } = setup()
    uploads.add(["a", "b", "c"].map(fileOf))
    expect(states()).toEqual(["a uploading", "b uploading", "c waiting"])
    sendings[1]?.onProgress(0.5)
    sendings[0]?.resolve(sharedOf("a"))
    await settled()
    expect(states()).toEqual(["a ready", "b uploading", "c uploading"])
    expect(uploads.state().attachments[1]?.progress).toBe(0.5)
    expect(uploads.take()).toEqual([sharedOf("a")])
    expect(states()).toEqual(["b uploading", "c uploading"])
  })

  it("is no more than a message takes, and says so until something is removed", () => {
    const { uploads } = setup()
    uploads.add(Array.from({ length: 12 }, (_, index) => fileOf(String(index))))
    expect([uploads.state().attachments.length, uploads.state().isOverfull]).toEqual([10, true])
    uploads.remove(uploads.state().attachments[9]?.key ?? "")
    expect([uploads.state().attachments.length, uploads.state().isOverfull]).toEqual([9, false])
  })

  it("stops when it is removed, and the next one begins", async () => {
    const { uploads, sendings, states } = setup()
    uploads.add(["a", "b", "c"].map(fileOf))
    uploads.remove(uploads.state().attachments[0]?.key ?? "")
    expect(sendings[0]?.signal.aborted).toBe(true)
    await settled()
    expect(states()).toEqual(["b uploading", "c uploading"])
  })

  it("says why it failed, and is tried again on demand, or by itself when the connection is back", async () => {
    const { uploads, sendings, states } = setup()
    uploads.add(["a", "b"].map(fileOf))
    sendings[0]?.reject(new UploadError("type-false"))
    sendings[1]?.reject(new UploadError("not-connected"))
    await settled()
    expect(uploads.state().attachments.map(({ error }) => error)).toEqual(["type-false", "not-connected"])
    expect(uploads.take()).toEqual([])
    window.dispatchEvent(new Event("online"))
    expect(states()).toEqual(["a failed", "b uploading"])
    uploads.retry(uploads.state().attachments[0]?.key ?? "")
    expect(states()).toEqual(["a uploading", "b uploading"])
    sendings[3]?.resolve(sharedOf("a"))
    await settled()
    expect(states()).toEqual(["a ready", "b uploading"])
  })

  it("survives a reload once it is on the server", async () => {
    const before = setup()
    before.uploads.add(["a", "b"].map(fileOf))
    const shared = { ...sharedOf("a"), id: crypto.randomUUID(), width: 1, height: 1 }
    before.sendings[0]?.resolve(shared)
    await settled()
    const { uploads, states } = setup()
    expect(states()).toEqual(["a ready", "b waiting"])
    expect(uploads.state().attachments[0]?.preview).toBe(`/api/chat/files/${shared.id}`)
    uploads.take()
    expect(setup().states()).toEqual(["b waiting"])
  })

  it("is sent anew by the page after a reload where it was on its way, or had failed in passing", async () => {
    const before = setup()
    before.uploads.add(["a", "b", "c", "d"].map(fileOf))
    before.sendings[0]?.reject(new UploadError("not-connected"))
    before.sendings[1]?.reject(new UploadError("type-refused"))
    await settled()
    expect(before.states()).toEqual(["a failed", "b failed", "c uploading", "d uploading"])
    expect([...disk.values()].map(({ name }) => name)).toEqual(["a", "c", "d"])

    const { uploads, sendings, states } = setup()
    expect(states()).toEqual(["a waiting", "c waiting", "d waiting"])
    // Not before its bytes are here.
    expect([sendings.length, uploads.take()]).toEqual([0, []])
    uploads.remove(uploads.state().attachments[2]?.key ?? "")
    await settled()
    expect(states()).toEqual(["a uploading", "c uploading"])
    expect(sendings.map(({ file }) => file.name)).toEqual(["a", "c"])
    for (const [index, name] of ["a", "c"].entries())
      sendings[index]?.resolve({ ...sharedOf(name), id: crypto.randomUUID() })
    await settled()
    expect(states()).toEqual(["a ready", "c ready"])
    // Of what the server has, or nobody wants, the browser keeps nothing.
    expect(disk.size).toBe(0)
    expect(setup().states()).toEqual(["a ready", "c ready"])
  })

  const broken = async () => Promise.reject(new Error("the disk is full"))
  it.each([
    ["writes", broken, async () => files],
    ["reads", async () => files, broken],
  ])(
    "says that it has to be added again after a reload where the browser never %s",
    async (_, now, later) => {
      const before = setup(now)
      before.uploads.add([fileOf("a")])
      await settled()
      // It is sent all the same.
      expect(before.states()).toEqual(["a uploading"])
      const { uploads, states } = setup(later)
      await settled()
      expect(states()).toEqual(["a failed"])
      expect(uploads.state().attachments[0]?.error).toBe("file-lost")
    },
  )

  it("says of a file no more than is true in a copy of the tab, which finds it sent and taken away by the first", async () => {
    const first = setup()
    first.uploads.add([fileOf("a")])
    const isSent = Promise.withResolvers<void>()
    const copy = setup(() => isSent.promise.then(() => files))
    first.sendings[0]?.resolve({ ...sharedOf("a"), id: crypto.randomUUID() })
    await settled()
    isSent.resolve()
    await settled()
    expect([first.states(), copy.states()]).toEqual([["a ready"], ["a failed"]])
    expect(copy.uploads.state().attachments[0]?.error).toBe("file-lost")
    // Nothing was reloaded there, and there may be nothing to do.
    expect(messages.files.errors["file-lost"]).toMatch(/^(?!.*reload).* if it is still needed\.$/)
  })

  it.each(["null", "", "{", "[5]", '{"id":1}'])("is nothing where what is kept is %j", async (kept) => {
    const before = setup()
    before.uploads.add([fileOf("a")])
    before.sendings[0]?.resolve({ ...sharedOf("a"), id: crypto.randomUUID() })
    await settled()
    const keys = Object.keys(sessionStorage)
    expect(keys).toHaveLength(1)
    sessionStorage.setItem(keys[0] as string, kept)
    expect(setup().states()).toEqual([])
  })

  it("is sent in the name of whose page it is, and says so when somebody else is signed in", async () => {
    const owners: unknown[] = []
    vi.stubGlobal("fetch", async (_: string, { headers }: RequestInit) => {
      owners.push(new Headers(headers).get("Realtime-Owner"))
      return Response.json({ error: { code: "session-changed", message: "x" } }, { status: 409 })
    })
    const uploads = createUploads({ owner: "me", roomId: "1", openFiles: async () => files })
    uploads.add([fileOf("a")])
    await waitFor(() => uploads.state().attachments[0]?.state === "failed")
    expect(uploads.state().attachments[0]?.error).toBe("session-changed")
    expect(owners).toEqual(["me"])
  })

  it.each(["POST", "PUT"])(
    "fails in passing where nobody answers a %s, whose request is ended",
    async (method) => {
      const { url, ended } = await listenInSilence()
      const target = { url, headers: {} }
      vi.stubGlobal("fetch", (_: string, init: RequestInit) =>
        method === "POST"
          ? new Promise((_, reject) =>
              init.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
            )
          : Promise.resolve(Response.json({ id: "1", file: target })),
      )
      const sent = sendFile(fileOf("a"), {
        ...{ owner: "me", roomId: "1", patienceMs: 50 },
        ...{ signal: new AbortController().signal, onProgress() {} },
      })
      await expect(sent).rejects.toMatchObject({ code: "not-connected" })
      await ended()
    },
  )
})

/** A store that takes what is sent and never says so. */
async function listenInSilence() {
  const server = createServer((request, response) => {
    if (request.method !== "OPTIONS") return void request.resume()
    const allowed = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "PUT" }
    response.writeHead(204, allowed).end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async ended() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
