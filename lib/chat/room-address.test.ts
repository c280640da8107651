import { expect, it } from "vitest"
import { roomIdIn } from "./room-address.ts"

it.each([
  ["lobby", "lobby"],
  ["%E9%83%A8%E5%B1%8B", "部屋"],
  ["%2541", "%41"],
  ["__proto__", "__proto__"],
  ["%", null],
  ["%E0%A4%A", null],
  ["%00", null],
  ["a%00b", null],
  ["%ED%A0%80", null],
  ["\ud800", null],
])("%s names %s", (parameter, id) => {
  expect(roomIdIn(parameter)).toBe(id)
})
