import { fileTypeFromBuffer } from "file-type"
import { imageSize } from "image-size"
import { FileError, isFalseName, maxImagePixels, maxThumbnailSide, pictureTypes } from "./rules.ts"

/** Enough for every signature, and for what cameras write before a picture's dimensions. */
export const recognizedBytes = 512 * 1024

/** Programs that run at a double click. Nobody needs them in a chat as they are, and some would open one by mistake. */
const refusedTypes: ReadonlySet<string> = new Set([
  ...["application/x-msdownload", "application/x-elf", "application/x-mach-binary", "application/java-vm"],
  ...["application/vnd.android.package-archive", "application/x-deb", "application/x-rpm"],
  ...["application/x-apple-diskimage", "application/x-ms-shortcut"],
])

export interface Recognized {
  type: string
  /** Of pictures that are shown as such. */
  width?: number
  height?: number
}

/** Server: what a file is, by its first bytes. Throws a `FileError` when it isn't taken under this name. */
export async function recognize(start: Uint8Array<ArrayBuffer>, name: string): Promise<Recognized> {
  const type = await typeOf(start)
  if (refusedTypes.has(type)) throw new FileError("type-refused", `unable to take a file of type ${type}`)
  if (isFalseName(name, type))
    throw new FileError("type-false", `unable to take a file of type ${type} under its name`)
  const dimensions = pictureTypes.has(type) ? dimensionsOf(start) : null
  return dimensions && dimensions.width * dimensions.height <= maxImagePixels
    ? { type, ...dimensions }
    : { type }
}

/** Whether these bytes are a preview: a still picture, small enough. */
export async function isThumbnail(start: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (!["image/webp", "image/jpeg", "image/png"].includes(await typeOf(start))) return false
  const dimensions = dimensionsOf(start)
  return dimensions !== null && Math.max(dimensions.width, dimensions.height) <= maxThumbnailSide
}

async function typeOf(start: Uint8Array<ArrayBuffer>): Promise<string> {
  const found = await fileTypeFromBuffer(start)
  if (found) return found.mime
  return isText(start) ? "text/plain" : "application/octet-stream"
}

/** As they stand on the screen: a camera that was held upright says so beside them. */
function dimensionsOf(start: Uint8Array): { width: number; height: number } | null {
  try {
    const { width, height, orientation = 1 } = imageSize(start)
    if (!(width > 0 && height > 0)) return null
    return orientation >= 5 ? { width: height, height: width } : { width, height }
  } catch {
    // Broken, or its dimensions stand too far inside: it is a file to download, then.
    return null
  }
}

function isText(start: Uint8Array): boolean {
  if (start.includes(0)) return false
  try {
    // A letter that was cut at the end is none of its faults.
    new TextDecoder("utf-8", { fatal: true }).decode(start, { stream: true })
    return true
  } catch {
    return false
  }
}
