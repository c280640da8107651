/** So many at once: each is an argument of a call. */
const chunk = 0x8000

/** Bytes as a text that JSON carries. Browsers that are served lack `Uint8Array.prototype.toBase64`. */
export function toBase64(bytes: Uint8Array): string {
  let text = ""
  for (let start = 0; start < bytes.length; start += chunk)
    text += String.fromCharCode(...bytes.subarray(start, start + chunk))
  return btoa(text)
}

/** Throws where it isn't base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = characters.charCodeAt(index)
  return bytes
}
