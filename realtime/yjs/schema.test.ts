import { describe, expect, it } from "vitest"
import * as Y from "yjs"
import { toBase64 } from "../base64.ts"
import { startDocuments } from "../testing/documents/stage.ts"
import { yjsAwareness, yjsUpdate } from "./schema.ts"
import { toPayloads } from "./update-parts.ts"

const update = (() => {
  const doc = new Y.Doc()
  doc.getText("text").insert(0, "text")
  return Y.encodeStateAsUpdate(doc)
})()

const check = async (value: unknown) => yjsUpdate()["~standard"].validate(value)

describe("yjsUpdate", () => {
  it("takes an update, and a part of one, without what it doesn't know", async () => {
    expect(await check({ update: toBase64(update), more: 1 })).toEqual({
      value: { update: toBase64(update) },
    })
    const [part] = toPayloads(update, 5, () => "k")
    expect(await check(part)).toEqual({ value: part })
  })

  it.each([
    ["no base64", "☠"],
    ["nothing", ""],
    ["random bytes", toBase64(new Uint8Array([9, 9, 9, 9, 9]))],
    ["one that ends too early", toBase64(update.slice(0, -3))],
    [
      "one that says to hold more than there is memory for",
      toBase64(new Uint8Array([1, 255, 255, 255, 255, 15, 0, 0])),
    ],
  ])("refuses %s", async (_, text) => {
    expect(await check({ update: text })).toMatchObject({
      issues: [{ message: expect.stringContaining("update") }],
    })
  })

  it("keeps poison out of the log, with an error that says so", async () => {
    await using stage = startDocuments()
    const { channel } = stage.page("a")
    const poison = { update: toBase64(new Uint8Array([1, 2, 3])) }
    await expect(channel.publish("update", poison)).rejects.toMatchObject({ code: "invalid-payload" })
    await expect(channel.publish("update", { update: "A".repeat(40_000) })).rejects.toMatchObject({
      code: "message-too-large",
    })
    expect((await stage.head()).seq).toBe(0)
  })

  it("withstands every bit of an update that is turned over", async () => {
    for (let bit = 0; bit < update.length * 8; bit += 1) {
      const turned = update.slice()
      turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7))
      const result = await check({ update: toBase64(turned) })
      // What is taken can be applied by whoever gets it.
      if (!result.issues) Y.applyUpdate(new Y.Doc(), turned)
    }
  })
})

describe("yjsAwareness", () => {
  const told = { client: 7, clock: 1, state: { cursor: null } }
  it.each([
    ["a state", told, told],
    ["a page that leaves", { ...told, state: null }, { ...told, state: null }],
    ["a page that asks", { ...told, asks: true, more: 1 }, { ...told, asks: true }],
  ])("takes %s", (_, value, expected) => {
    expect(yjsAwareness()["~standard"].validate(value)).toEqual({ value: expected })
  })

  it.each([
    null,
    {},
    { ...told, client: -1 },
    { ...told, clock: 1.5 },
    { ...told, state: [] },
    { client: 1, clock: 1 },
  ])("refuses %j", (value) => {
    expect(yjsAwareness()["~standard"].validate(value)).toHaveProperty("issues")
  })
})
