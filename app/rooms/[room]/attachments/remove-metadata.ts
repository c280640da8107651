/** Of a JPEG: what a camera and programs say about the picture (APP1: Exif and XMP, APP11: content credentials, APP13: IPTC), and comments. */
const tellingSegments: ReadonlySet<number> = new Set([0xe1, 0xeb, 0xed, 0xfe])
/** Of a PNG: the same, and texts and the time of the last change. */
const tellingChunks: ReadonlySet<string> = new Set(["caBX", "eXIf", "tEXt", "zTXt", "iTXt", "tIME"])
/** Of a WebP, and the flags that announce them. */
const tellingParts: ReadonlySet<string> = new Set(["C2PA", "EXIF", "XMP "])
const tellingFlags = 0x08 | 0x04

type Part = Uint8Array<ArrayBuffer>
type View = DataView<ArrayBuffer>

/**
 * Browser: a picture without what it says about its making: the place, the time, the device, the author, other pictures behind it. The
 * picture itself isn't touched, byte by byte, and stays turned as it was. Of JPEG, PNG (moving ones too) and WebP; another kind of file
 * and one that says nothing come back as they are. One that is broken loses what can be told from the picture.
 */
export async function removeMetadata(file: File): Promise<File> {
  const partsOf = partsOfKind(new DataView(await file.slice(0, 12).arrayBuffer()))
  const parts = partsOf?.(new DataView(await file.arrayBuffer()))
  return parts ? new File(parts, file.name, { type: file.type, lastModified: file.lastModified }) : file
}

/** What is to be kept of a file of this kind: null where that is all of it. */
function partsOfKind(start: View): ((view: View) => Part[] | null) | null {
  if (start.byteLength < 12) return null
  if (start.getUint16(0) === 0xffd8) return jpegParts
  if (start.getUint32(0) === 0x89504e47 && start.getUint32(4) === 0x0d0a1a0a) return pngParts
  return nameAt(start, 0) === "RIFF" && nameAt(start, 8) === "WEBP" ? webpParts : null
}

/** Up to the end of the file, where that comes first. */
const slice = (view: View, from: number, to = view.byteLength): Part =>
  new Uint8Array(view.buffer).subarray(from, to)

const nameAt = (view: View, at: number) => String.fromCharCode(...slice(view, at, at + 4))

function jpegParts(view: View): Part[] | null {
  const kept: Part[] = [slice(view, 0, 2)]
  let orientation = 1
  let isTelling = false
  let at = markerAfter(view, 2)
  while (at + 4 <= view.byteLength) {
    const marker = view.getUint16(at)
    if (marker === endOfPicture) break
    const end = Math.min(at + 2 + view.getUint16(at + 2), view.byteLength)
    // Of a scan the picture's own bytes follow.
    const next = marker === startOfScan ? markerAfter(view, end) : end
    if (isTellingSegment(view, at)) {
      isTelling = true
      if (orientation === 1) orientation = orientationIn(view, at + 4, end)
    } else kept.push(slice(view, at, next))
    // Bytes that belong to nothing are passed over, as by whoever shows the picture.
    at = markerAfter(view, next)
  }
  kept.push(slice(view, at, at + 2))
  if (at + 2 < view.byteLength) isTelling = true
  if (!isTelling) return null
  // Behind what other programs look for at the very beginning.
  if (orientation !== 1) kept.splice(kept[1]?.[1] === 0xe0 ? 2 : 1, 0, orientationSegment(orientation))
  return kept
}

const startOfScan = 0xffda
const endOfPicture = 0xffd9

/** The second kind lists the pictures behind this one, which go, too. */
const isTellingSegment = (view: View, at: number) =>
  tellingSegments.has(view.getUint8(at + 1)) ||
  (view.getUint16(at) === 0xffe2 && view.getUint16(at + 2) >= 6 && nameAt(view, at + 4) === "MPF\0")

/**
 * Where the next marker is that says something: inside of a scan what looks like one is followed by zero, or counts its parts. Any
 * number of 0xff may stand before one.
 */
function markerAfter(view: View, from: number): number {
  const bytes = new Uint8Array(view.buffer)
  let at = bytes.indexOf(0xff, from)
  for (; at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0
    if (next > 1 && next !== 0xff && !(next >= 0xd0 && next <= 0xd8)) return at
  }
  return bytes.length
}

/** How a camera was held, as the first directory of Exif data says it. */
function orientationIn(view: View, from: number, to: number): number {
  if (to - from < 14 || nameAt(view, from) !== "Exif") return 1
  const tiff = from + 6
  const isLittle = view.getUint16(tiff) === 0x4949
  const directory = tiff + view.getUint32(tiff + 4, isLittle)
  if (directory + 2 > to) return 1
  const count = view.getUint16(directory, isLittle)
  for (let entry = directory + 2; entry + 12 <= to && entry < directory + 2 + 12 * count; entry += 12) {
    if (view.getUint16(entry, isLittle) !== 0x0112) continue
    const value = view.getUint16(entry + 8, isLittle)
    return value >= 1 && value <= 8 ? value : 1
  }
  return 1
}

/** Exif data of one entry. */
function orientationSegment(orientation: number): Part {
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1]
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
  return Uint8Array.of(0xff, 0xe1, 0, 2 + exif.length + entry.length, ...exif, ...entry)
}

function pngParts(view: View): Part[] | null {
  const kept: Part[] = [slice(view, 0, 8)]
  let isTelling = false
  for (let at = 8; at < view.byteLength; ) {
    const name = nameAt(view, at + 4)
    const isWhole = at + 8 <= view.byteLength
    const end = isWhole ? at + 12 + view.getUint32(at) : view.byteLength
    if (tellingChunks.has(name)) isTelling = true
    else kept.push(slice(view, at, end))
    at = end
    if (name !== "IEND") continue
    // What is behind it is no part of the picture.
    if (end < view.byteLength) isTelling = true
    break
  }
  return isTelling ? kept : null
}

function webpParts(view: View): Part[] | null {
  const kept: Part[] = []
  // What is behind the container is no part of the picture.
  const limit = Math.min(8 + view.getUint32(4, true), view.byteLength)
  let isTelling = limit < view.byteLength
  for (let at = 12; at < limit; ) {
    const name = nameAt(view, at)
    const end = at + 8 <= limit ? partEnd(view, at, limit) : limit
    // A copy: the flags of the first one may have to be changed.
    const part = slice(view, at, end).slice()
    if (name === "VP8X") part[8] = (part[8] ?? 0) & ~tellingFlags
    if (tellingParts.has(name)) isTelling = true
    else kept.push(part)
    at = end
  }
  if (!isTelling) return null
  const head = slice(view, 0, 12).slice()
  const size = kept.reduce((sum, { byteLength }) => sum + byteLength, 4)
  new DataView(head.buffer).setUint32(4, size, true)
  return [head, ...kept]
}

/** An odd part is filled up, which some programs forget: the next one's name stands there then. */
function partEnd(view: View, at: number, limit: number): number {
  const size = view.getUint32(at + 4, true)
  const end = at + 8 + size
  const isFilled = size % 2 === 1 && !/^[A-Z][A-Z0-9 ]{3}$/.test(nameAt(view, end))
  return Math.min(isFilled ? end + 1 : end, limit)
}
