import { expect, it } from "vitest"
import { messageParameter, messagePath, messagePlaceIn } from "./message-link.ts"

const place = { id: "018f0000-0000-7000-8000-0000000000ab", seq: 42 }

it("leads to the message that it was made for", () => {
  const url = new URL(messagePath("lobby", place), "https://chat.example")
  expect(url.pathname).toBe("/rooms/lobby")
  expect(messagePlaceIn(url.searchParams.get(messageParameter))).toEqual(place)
})

it.each([
  ...[undefined, null, 42, ["42-x"], "", "42", `0-${place.id}`, `-1-${place.id}`, `1e3-${place.id}`],
  ...[`42-${place.id}0`, `42-${place.id.toUpperCase()}\n`, "42-../../lab", `${"9".repeat(16)}-${place.id}`],
])("is none where somebody made it up: %s", (parameter) => {
  expect(messagePlaceIn(parameter)).toBeNull()
})
