import { imageSize } from "image-size"
import { describe, expect, it } from "vitest"
import { makeJpegStart, makePng } from "#lib/files/testing/pictures.ts"
import { removeMetadata } from "./remove-metadata.ts"

const secret = "35.6586N 139.7454E"
type Bytes = Uint8Array<ArrayBuffer>
const bytesOf = (text: string): Bytes => new Uint8Array(Buffer.from(text, "latin1"))
const hex = (text: string): Bytes => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"))
const join = (...parts: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts))

const clean = async (content: Bytes) => {
  const file = new File([content], "photo", { type: "image/x", lastModified: 5 })
  const cleaned = await removeMetadata(file)
  return { file, cleaned, content: Buffer.from(await cleaned.arrayBuffer()) }
}

/** A segment of a JPEG. */
function segment(marker: number, content: Bytes): Bytes {
  const length = content.length + 2
  return join(Uint8Array.of(0xff, marker, length >> 8, length & 255), content)
}
const jfif = segment(0xe0, bytesOf("JFIF\0\x01\x01\0\0\x01\0\x01\0\0"))
const colours = segment(0xe2, bytesOf("ICC_PROFILE\0\x01\x01colours"))
/** With what looks like markers and isn't, in two scans. */
const scans = join(segment(0xda, hex("01 01 00 00 3f 00")), hex("12 ff00 34 ffd0 56 ff ff00"))
const picture = join(segment(0xdb, new Uint8Array(65)), scans, segment(0xc4, new Uint8Array(20)), scans)
const telling = [
  segment(0xe1, bytesOf(`http://ns.adobe.com/xap/1.0/\0${secret}`)),
  segment(0xeb, bytesOf(`JP${secret}`)),
  segment(0xed, bytesOf(`Photoshop 3.0\0${secret}`)),
  segment(0xfe, bytesOf(secret)),
  segment(0xe2, bytesOf(`MPF\0${secret}`)),
]
const begin = hex("ffd8")
const end = hex("ffd9")

/** A chunk of a PNG; nobody looks at its sum. */
const pngChunk = (name: string, content: Bytes) =>
  join(
    Uint8Array.of(0, 0, content.length >> 8, content.length & 255),
    bytesOf(name),
    content,
    hex("00000000"),
  )

/** A part of a WebP: an odd one is filled up. */
function webpPart(name: string, content: Bytes): Bytes {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(content.length)
  return join(bytesOf(name), size, content, new Uint8Array(content.length % 2))
}
function webp(...parts: Bytes[]): Bytes {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(join(...parts).length + 4)
  return join(bytesOf("RIFF"), size, bytesOf("WEBP"), ...parts)
}

const png = new Uint8Array(makePng(3, 2))
const [pngStart, pngRest] = [png.subarray(0, 33), png.subarray(33)]
const image = webpPart("VP8 ", bytesOf("odd"))
const unfilled = (name: string) => webpPart(name, bytesOf(`${secret}.`)).subarray(0, -1)

describe("a picture that is sent", () => {
  it("keeps all of a JPEG but what it says about itself", async () => {
    const told = join(begin, jfif, ...telling, colours, picture, end, bytesOf(secret))
    const { cleaned, content } = await clean(told)
    expect(content.equals(join(begin, jfif, colours, picture, end))).toBe(true)
    expect([cleaned.name, cleaned.type, cleaned.lastModified]).toEqual(["photo", "image/x", 5])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("stays turned as a camera held it: %i", async (orientation) => {
    const start = makeJpegStart(400, 300, orientation)
    const told = join(begin, colours, start.subarray(2, -2), ...telling, picture, end)
    const { content } = await clean(told)
    expect(content.includes(secret)).toBe(false)
    expect(imageSize(content)).toMatchObject({
      ...{ width: 400, height: 300 },
      ...(orientation > 1 && { orientation }),
    })
    // What was made of it has nothing more to take away but the one entry.
    expect((await clean(new Uint8Array(content))).content.equals(content)).toBe(true)
  })

  it("keeps all of a PNG but its texts, times and Exif data", async () => {
    const names = ["caBX", "eXIf", "tEXt", "zTXt", "iTXt", "tIME"]
    const told = join(pngStart, ...names.map((name) => pngChunk(name, bytesOf(secret))), pngRest)
    expect((await clean(told)).content.equals(png)).toBe(true)
  })

  it("keeps all of a WebP but its Exif data and XMP, and doesn't announce them any more", async () => {
    const header = hex("00000000 020000 010000")
    const announced = webpPart("VP8X", header.with(0, 0x3c))
    const told = webp(
      announced,
      image,
      webpPart("EXIF", bytesOf(secret)),
      webpPart("C2PA", bytesOf(secret)),
      webpPart("XMP ", bytesOf(secret)),
    )
    expect((await clean(told)).content.equals(webp(webpPart("VP8X", header.with(0, 0x30)), image))).toBe(true)
  })

  it.each([
    ["a JPEG that says nothing", join(begin, jfif, colours, picture, end)],
    ["a PNG that says nothing", new Uint8Array(makePng(3, 2))],
    ["a WebP that says nothing", webp(webpPart("VP8L", bytesOf("even")))],
    ["a text", bytesOf("nothing of a picture in it")],
    ["next to nothing", bytesOf("x")],
    ["a JPEG of nonsense", join(begin, bytesOf("nonsense nonsense"))],
    ["a PNG that ends in a chunk", new Uint8Array(makePng(3, 2).subarray(0, -6))],
  ])("is the file itself where there is nothing to take away: %s", async (_, content) => {
    const { file, cleaned } = await clean(content)
    expect(cleaned).toBe(file)
  })

  it.each<[string, Bytes, Bytes]>([
    ["a JPEG without its end", join(begin, ...telling, picture), join(begin, picture)],
    [
      "a JPEG with stray bytes between its parts",
      join(begin, jfif, hex("00 41 ff00"), ...telling, hex("00"), picture, end),
      join(begin, jfif, picture, end),
    ],
    [
      "a JPEG that ends in what it says",
      join(begin, jfif, telling[0] ?? begin).subarray(0, -4),
      join(begin, jfif),
    ],
    [
      "a JPEG that ends in a length",
      join(begin, ...telling, jfif, hex("ffdb00")),
      join(begin, jfif, hex("ffdb")),
    ],
    ["a PNG with something behind it", join(png, bytesOf(secret)), png],
    [
      "a PNG with what it says and something behind it",
      join(pngStart, pngChunk("eXIf", bytesOf(secret)), pngRest, hex("0000")),
      png,
    ],
    [
      "a PNG that ends in what it says",
      join(pngStart, pngChunk("eXIf", bytesOf(secret)).subarray(0, -8)),
      pngStart,
    ],
    [
      "a PNG that ends in a chunk",
      join(pngStart, pngChunk("tEXt", bytesOf(secret)), pngRest.subarray(0, 20)),
      join(pngStart, pngRest.subarray(0, 20)),
    ],
    ["a WebP whose last part isn't filled up", webp(image, unfilled("EXIF")), webp(image)],
    [
      "a WebP no part of which is filled up",
      webp(unfilled("VP8 "), unfilled("EXIF")),
      webp(unfilled("VP8 ")),
    ],
    ["a WebP with something behind it", join(webp(image), bytesOf(secret)), webp(image)],
    [
      "a WebP that ends in what it says",
      webp(image, webpPart("XMP ", bytesOf(secret))).subarray(0, -9),
      webp(image),
    ],
    [
      "a WebP that ends in a name",
      webp(image, webpPart("EXIF", bytesOf(secret)), bytesOf("VP8")),
      webp(image, bytesOf("VP8")),
    ],
  ])("loses what it says also where it is broken: %s", async (_, told, kept) => {
    const { content } = await clean(told)
    expect(content.toString("latin1")).toBe(Buffer.from(kept).toString("latin1"))
  })
})
