import { v7 as uuidv7 } from "uuid"
import type { Env } from "../env/schema.ts"
import { canAttach, fileStoreOf } from "../files/create-file-store.ts"
import { type FileStore, keyOf } from "../files/file-store.ts"
import { type Finding, wordsOf } from "./finding.ts"

const content = "a file of the doctor's"

/** The file store: something is sent, kept, read and removed, by the way that a picture takes. */
export async function examineFiles(env: Env): Promise<Finding[]> {
  const subject = "Files"
  const open = fileStoreOf(env)
  if (!open || !canAttach(env))
    return [{ subject, verdict: "ok", detail: "nothing can be attached: there is no FILES_S3_ENDPOINT" }]
  const place = env.FILES_S3_ENDPOINT ? `the bucket ${env.FILES_S3_BUCKET}` : `files under ${env.DATA_DIR}`
  try {
    await tryOut(await open())
    return [{ subject, verdict: "ok", detail: `written to, read from and removed from ${place}` }]
  } catch (error) {
    const advice = env.FILES_S3_ENDPOINT
      ? "Is the bucket there, is its region right, and may the key list it, and get, put and delete objects in it?"
      : `May this user write under ${env.DATA_DIR}, and is there room?`
    return [{ subject, verdict: "failed", detail: wordsOf(error), advice }]
  }
}

async function tryOut(store: FileStore): Promise<void> {
  const key = keyOf(uuidv7(), "file")
  const bytes = new TextEncoder().encode(content)
  const { incoming } = store
  try {
    if ("receive" in incoming) await incoming.receive(key, new Blob([bytes]).stream(), bytes.length)
    else {
      const { url, headers } = await incoming.presign(key, bytes.length)
      const { ok, status } = await fetch(url, { method: "PUT", headers, body: bytes })
      if (!ok) throw new Error(`[files] unable to send to the store; it answered ${status}`)
    }
    await store.settle(key)
    const read = new TextDecoder().decode(await store.readStart(key, bytes.length))
    if (read !== content) throw new Error("[files] unable to read what was written; something else came back")
  } finally {
    await store.remove(key)
  }
}
