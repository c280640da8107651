/** Of this process: once it is there it isn't loaded again, whoever asks. */
function once<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let part: Part | undefined
  return async () => {
    part ??= await load()
    return part
  }
}

/** What a page that connects over its first provider doesn't need for it. Tests load it beforehand. */
export const loadFailoverPolicy = once(() => import("./failover-policy.ts"))
