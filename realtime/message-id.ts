/**
 * An id for a message that is about to be sent (UUIDv7, https://www.rfc-editor.org/rfc/rfc9562#section-5.7):
 * with it, a retry is recognised as the same message.
 */
export function createMessageId(): string {
  // `crypto.randomUUID` is absent on a page without TLS, and dates nothing.
  const random = crypto.getRandomValues(new Uint8Array(10))
  const digits = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")
  const variant = "89ab"[(random[9] as number) % 4]
  const time = Date.now().toString(16).padStart(12, "0")
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${digits.slice(0, 3)}`,
    variant + digits.slice(3, 6),
    digits.slice(6, 18),
  ].join("-")
}
