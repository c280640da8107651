import { applyUpdate, Doc, decodeUpdate } from "yjs"

/**
 * Throws where these bytes aren't an update of Yjs. It is read to its end before anything is made of it: what
 * says to hold more than it does would take memory first. Then it is applied to an empty document, which
 * finds what can be read and makes no sense.
 */
export function checkUpdate(bytes: Uint8Array): void {
  decodeUpdate(bytes)
  // With a name of its own it would cost more to make than the rest.
  const scratch = new Doc({ guid: "scratch" })
  applyUpdate(scratch, bytes)
  scratch.destroy()
}
