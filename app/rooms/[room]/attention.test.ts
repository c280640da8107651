import { describe, expect, it } from "vitest"
import { createAttention } from "./attention.ts"

describe("the reader's attention", () => {
  it("is where they did something last, and goes back from there", () => {
    const attention = createAttention()
    const seen: (string | null)[] = []
    attention.subscribe(() => seen.push(attention.id))
    attention.give("a", "focused")
    attention.give("b", "pointed")
    attention.give("b", "pointed")
    attention.give("c", "focused")
    attention.take("c", "focused")
    attention.take("b", "pointed")
    expect(seen).toEqual(["a", "b", "c", "b", null])
  })

  it("stays where something is open, whatever is pointed at beside it", () => {
    const attention = createAttention()
    attention.give("a", "held")
    attention.give("b", "pointed")
    expect(attention.id).toBe("a")
    attention.take("a", "held")
    expect(attention.id).toBe("b")
  })

  it("isn't taken from another message than the one that has it", () => {
    const attention = createAttention()
    attention.give("a", "pointed")
    attention.give("b", "pointed")
    attention.take("a", "pointed")
    expect(attention.id).toBe("b")
  })

  it("is at no message that is gone", () => {
    const attention = createAttention()
    attention.give("a", "focused")
    attention.give("b", "held")
    attention.give("b", "pointed")
    attention.forget("b")
    expect(attention.id).toBe("a")
  })
})
