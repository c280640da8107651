import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { isThumbnail, recognize } from "./recognize.ts"
import { cleanFileName, maxFileNameLength, maxImagePixels } from "./rules.ts"
import { makeJpegStart, makePng } from "./testing/pictures.ts"

/** Noise, the same in each run. */
const noiseOf = (length: number, seed: number) =>
  createHash("shake256", { outputLength: length }).update(String(seed)).digest()
const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const codeOf = (error: { code: string }) => error.code
const html = "<!doctype html><script>alert(1)</script>"
const svg = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
const exe = Buffer.concat([Buffer.from("MZ"), Buffer.alloc(300)])
const elf = Buffer.concat([Buffer.from("7f454c46020101", "hex"), Buffer.alloc(300)])

describe("what a file is", () => {
  it("is said by its bytes, with a picture's dimensions", async () => {
    expect(await recognize(makePng(30, 20), "a.png")).toEqual({ type: "image/png", width: 30, height: 20 })
    // Saved under another picture's ending, as happens every day.
    expect(await recognize(makePng(1, 1), "a.jpg")).toMatchObject({ type: "image/png" })
    expect(await recognize(bytes("%PDF-1.7\n"), "report.pdf")).toEqual({ type: "application/pdf" })
    expect(await recognize(bytes("日本語のメモ"), "memo.txt")).toEqual({ type: "text/plain" })
    expect(await recognize(new Uint8Array([0, 1, 2, 255]), "data.bin")).toEqual({
      type: "application/octet-stream",
    })
  })

  it("has the dimensions as a camera held them", async () => {
    expect(await recognize(makeJpegStart(400, 300, 1), "a.jpg")).toMatchObject({ width: 400, height: 300 })
    expect(await recognize(makeJpegStart(400, 300, 6), "a.jpg")).toMatchObject({ width: 300, height: 400 })
  })

  it.each([
    ["photo.png", bytes(html)],
    ["photo.jpg", bytes(svg)],
    ["photo.webp", bytes("%PDF-1.7\n")],
    ["report.pdf", makePng(1, 1)],
    ["photo.gif", new Uint8Array(noiseOf(64, 0).fill(0, 0, 8))],
  ])("makes a false name of %s", async (name, content) => {
    await expect(recognize(content, name).catch(codeOf)).resolves.toBe("type-false")
  })

  it.each([
    ["setup.exe", exe],
    ["holiday.txt", exe],
    ["tool", elf],
  ])("keeps programs out, called %s", async (name, content) => {
    await expect(recognize(new Uint8Array(content), name).catch(codeOf)).resolves.toBe("type-refused")
  })

  it("is never a picture where script could hide in one", async () => {
    for (const [name, content] of [
      ["page.html", html],
      ["drawing.svg", svg],
    ] as const) {
      const found = await recognize(bytes(content), name)
      expect([found.width, found.type]).toEqual([undefined, expect.not.stringMatching(/html|svg|image/)])
    }
  })

  it("is no picture to show when it is broken, or would take gigabytes to decode", async () => {
    const broken = makePng(10, 10)
    broken.writeUInt32BE(0, 16)
    expect(await recognize(broken, "a.png")).toEqual({ type: "image/png" })
    const huge = makePng(1, 1)
    huge.writeUInt32BE(maxImagePixels / 1000 + 1, 16)
    huge.writeUInt32BE(1000, 20)
    expect(await recognize(huge, "a.png")).toEqual({ type: "image/png" })
  })

  it("is found for any bytes, cut anywhere", async () => {
    const whole = [
      makePng(8, 8),
      makeJpegStart(8, 8, 3),
      bytes(svg),
      Buffer.from("504b0304140000000800", "hex"),
    ]
    for (const content of whole)
      for (let length = 1; length <= content.length; length += 3)
        expect(await recognize(new Uint8Array(content.subarray(0, length)), "x")).toHaveProperty("type")
    for (let round = 0; round < 300; round++) {
      const noise = new Uint8Array(noiseOf(200, round))
      const [start = new Uint8Array()] = [whole[round % whole.length]?.subarray(0, 4 + (round % 20))]
      noise.set(start)
      await recognize(noise, "x").catch((error) => expect(codeOf(error)).toBe("type-refused"))
    }
  })
})

describe("a preview", () => {
  it("is a small still picture, and nothing else", async () => {
    expect(await isThumbnail(makePng(640, 10))).toBe(true)
    for (const other of [makePng(641, 10), bytes(html), bytes(svg), bytes("%PDF-1.7"), bytes("GIF89a")])
      expect(await isThumbnail(new Uint8Array(other))).toBe(false)
  })
})

describe("a file's name", () => {
  it.each([
    ["../../etc/passwd", ".._.._etc_passwd"],
    ["C:\\Users\\x.txt", "C:_Users_x.txt"],
    ["photo\u202egpj.exe", "photogpj.exe"],
    ["a\nb\0c.txt", "abc.txt"],
    ["  ", "file"],
    ["\u202e", "file"],
    ["写真.png", "写真.png"],
    ["カ\u3099.txt", "ガ.txt"],
  ])("%j becomes %j", (given, name) => {
    expect(cleanFileName(given)).toBe(name)
  })

  it("keeps its ending when it is cut, and no half of a letter", () => {
    const name = cleanFileName(`${"🚢".repeat(200)}.jpeg`)
    expect(name.length).toBeLessThanOrEqual(maxFileNameLength)
    expect([name.endsWith("🚢.jpeg"), name.isWellFormed()]).toEqual([true, true])
  })
})
