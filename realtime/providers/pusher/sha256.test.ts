import { createHash, randomBytes } from "node:crypto"
import { expect, it } from "vitest"
import { sha256 } from "./sha256.ts"

it("is what Node.js says it is, at each length around the blocks that it works in", () => {
  for (let length = 0; length < 260; length += 1) {
    const bytes = randomBytes(length)
    expect(sha256(bytes), bytes.toString("hex")).toBe(createHash("sha256").update(bytes).digest("hex"))
  }
})
