/** Of this process: once it is there it isn't loaded again, whoever asks. */
function once<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let part: Part | undefined
  return async () => {
    part ??= await load()
    return part
  }
}

/** What a page doesn't need to connect. Tests load it beforehand. */
export const loadPageOutbox = once(() => import("./page-outbox.ts"))
