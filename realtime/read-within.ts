import { RealtimeError } from "./errors.ts"

/**
 * Server: a request's body as text. Of one that is longer no more is read than shows it: rejects
 * with `message-too-large`, and leaves the rest where it is, since ending the stream would end
 * the connection before the answer. Of one whose sender went away in the middle:
 * `invalid-request`, for nothing here has failed.
 */
export async function readWithin(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const chunks = body?.[Symbol.asyncIterator]()
  let text = ""
  let bytes = 0
  for (;;) {
    const next = await chunks?.next().catch((cause: unknown) => {
      throw new RealtimeError("invalid-request", {
        message: "unable to read the rest; it was cut off",
        cause,
      })
    })
    if (!next || next.done) return text + decoder.decode()
    bytes += next.value.byteLength
    if (bytes > maxBytes)
      throw new RealtimeError("message-too-large", { message: `unable to read more than ${maxBytes} bytes` })
    text += decoder.decode(next.value, { stream: true })
  }
}
