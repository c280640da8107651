import { join } from "node:path"
import type { Env } from "../env/schema.ts"
import type { FileStore } from "./file-store.ts"

/** Whether people can attach anything here. A function's disk doesn't last, so there it takes a store of S3's protocol. */
export const canAttach = (env: Pick<Env, "FILES_S3_ENDPOINT" | "isServerless">): boolean =>
  env.FILES_S3_ENDPOINT !== undefined || !env.isServerless

/** The store that the environment names, loaded when it is first asked for; null where there is none. */
export function fileStoreOf(env: Env): (() => Promise<FileStore>) | null {
  if (!canAttach(env)) return null
  let store: Promise<FileStore> | undefined
  return () => {
    store ??= load(env)
    return store
  }
}

async function load(env: Env): Promise<FileStore> {
  const { FILES_S3_ENDPOINT: endpoint, FILES_S3_BUCKET: bucket = "" } = env
  if (endpoint === undefined) {
    const { createLocalStore } = await import("./local-store.ts")
    return createLocalStore({ directory: join(env.DATA_DIR, "files") })
  }
  const { createS3Store } = await import("./s3-store.ts")
  return createS3Store({
    ...{ endpoint, bucket, region: env.FILES_S3_REGION },
    accessKeyId: env.FILES_S3_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.FILES_S3_SECRET_ACCESS_KEY ?? "",
  })
}
