/** Of a JPEG: what a camera and programs say about the picture (APP1: Exif and XMP, APP13: IPTC), and comments. */
const tellingSegments: ReadonlySet<number> = new Set([0xe1, 0xed, 0xfe])
/** Of a PNG: the same, and texts and the time of the last change. */
const tellingChunks: ReadonlySet<string> = new Set(["eXIf", "tEXt", "zTXt", "iTXt", "tIME"])
/** Of a WebP, and the flags that announce them. */
const tellingParts: ReadonlySet<string> = new Set(["EXIF", "XMP "])
const tellingFlags = 0x08 | 0x04

type Part = Uint8Array<ArrayBuffer>
type View = DataView<ArrayBuffer>

/**
 * Browser: a picture without what it says about its making: the place, the time, the device, the author, other pictures behind it. The
 * picture itself isn't touched, byte by byte, and stays turned as it was. Of JPEG, PNG (moving ones too) and WebP; another kind of file,
 * one that says nothing, and one whose beginning is broken come back as they are.
 */
export async function removeMetadata(file: File): Promise<File> {
  const partsOf = partsOfKind(new DataView(await file.slice(0, 12).arrayBuffer()))
  const parts = partsOf && readBy(partsOf, new DataView(await file.arrayBuffer()))
  return parts ? new File(parts, file.name, { type: file.type, lastModified: file.lastModified }) : file
}

/** What is to be kept of a file of this kind: null where that is all of it. */
function partsOfKind(start: View): ((view: View) => Part[] | null) | null {
  if (start.byteLength < 12) return null
  if (start.getUint16(0) === 0xffd8) return jpegParts
  if (start.getUint32(0) === 0x89504e47 && start.getUint32(4) === 0x0d0a1a0a) return pngParts
  return nameAt(start, 0) === "RIFF" && nameAt(start, 8) === "WEBP" ? webpParts : null
}

function readBy(partsOf: (view: View) => Part[] | null, view: View): Part[] | null {
  try {
    return partsOf(view)
  } catch (error) {
    // It ends in the middle of something.
    if (error instanceof RangeError) return null
    throw error
  }
}

const nameAt = (view: View, at: number) =>
  String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)))

/** Beyond the end is a `RangeError`, as with the view's own methods. */
function slice(view: View, from: number, to = view.byteLength): Part {
  if (to > view.byteLength) throw new RangeError("unable to read on; the file ends here")
  return new Uint8Array(view.buffer, from, to - from)
}

function jpegParts(view: View): Part[] | null {
  const kept: Part[] = [slice(view, 0, 2)]
  let orientation = 1
  let isTelling = false
  let at = 2
  while (at + 2 <= view.byteLength) {
    // A marker may have any number of these before it.
    while (view.getUint16(at) === 0xffff) at += 1
    const marker = view.getUint16(at)
    if (marker < 0xff01) return null
    if (marker === endOfPicture) {
      kept.push(slice(view, at, at + 2))
      if (at + 2 < view.byteLength) isTelling = true
      break
    }
    const end = at + 2 + view.getUint16(at + 2)
    // Of a scan the picture's own bytes follow.
    const next = marker === startOfScan ? markerAfter(view, end) : end
    const segment = slice(view, at, next)
    if (isTellingSegment(view, at)) {
      isTelling = true
      if (orientation === 1) orientation = orientationIn(view, at + 4, end)
    } else kept.push(segment)
    at = next
  }
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

/** Where the next marker is: inside of a scan what looks like one is followed by zero, or counts its parts. */
function markerAfter(view: View, from: number): number {
  const bytes = new Uint8Array(view.buffer)
  let at = bytes.indexOf(0xff, from)
  for (; at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at
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
    const end = at + 12 + view.getUint32(at)
    const chunk = slice(view, at, end)
    if (tellingChunks.has(nameAt(view, at + 4))) isTelling = true
    else kept.push(chunk)
    at = end
  }
  return isTelling ? kept : null
}

function webpParts(view: View): Part[] | null {
  const kept: Part[] = []
  let isTelling = false
  for (let at = 12; at < view.byteLength; ) {
    const name = nameAt(view, at)
    const size = view.getUint32(at + 4, true)
    const end = at + 8 + size + (size % 2)
    // A copy: the flags of the first one may have to be changed.
    const chunk = slice(view, at, end).slice()
    if (name === "VP8X") chunk[8] = (chunk[8] ?? 0) & ~tellingFlags
    if (tellingParts.has(name)) isTelling = true
    else kept.push(chunk)
    at = end
  }
  if (!isTelling) return null
  const head = slice(view, 0, 12).slice()
  const size = kept.reduce((sum, { byteLength }) => sum + byteLength, 4)
  new DataView(head.buffer).setUint32(4, size, true)
  return [head, ...kept]
}
