import type { IncomingMessage } from "node:http"
import { expect, it } from "vitest"
import { createReadAddress } from "./client-address.ts"

const requestFrom = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as unknown as IncomingMessage

it.each([
  ["nobody is between", "192.0.2.7", undefined, "192.0.2.7"],
  ["a visitor says they are another", "192.0.2.7", "203.0.113.1", "192.0.2.7"],
  ["nginx on this machine says who it is", "127.0.0.1", "192.0.2.7", "192.0.2.7"],
  ["a visitor lies to nginx, which adds the truth", "127.0.0.1", "203.0.113.1, 192.0.2.7", "192.0.2.7"],
  ["two proxies are trusted", "127.0.0.1", "192.0.2.7, 10.1.2.3", "192.0.2.7"],
])("tells the visitor's address when %s", (_, remote, forwarded, expected) => {
  const request = requestFrom(remote, forwarded)
  expect(createReadAddress(["loopback", "10.0.0.0/8"])(request)).toBe(expected)
  expect(request.headers["x-forwarded-for"]).toBe(expected)
})

it("is nobody's where the other side is gone already", () => {
  const request = requestFrom(undefined as unknown as string)
  expect(createReadAddress(["loopback"])(request)).toBe("")
})
