import type { IncomingMessage } from "node:http"
import { pino } from "pino"
import { expect, it } from "vitest"
import { createReadAddress } from "./client-address.ts"

/** What the log is told, by whom. */
function createRead(trusted: readonly string[]) {
  const told: unknown[] = []
  const logger = pino({}, { write: (line: string) => void told.push(JSON.parse(line).from) })
  return { read: createReadAddress(trusted, logger), told }
}

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
  expect(createRead(["loopback", "10.0.0.0/8"]).read(request)).toBe(expected)
  expect(request.headers["x-forwarded-for"]).toBe(expected)
})

it("is nobody's where the other side is gone already", () => {
  const request = requestFrom(undefined as unknown as string)
  expect(createRead(["loopback"]).read(request)).toBe("")
})

it("names in the log, once, who speaks for others and isn't trusted to", () => {
  const { read, told } = createRead(["loopback"])
  for (const [remote, forwarded] of [
    ["192.0.2.7", undefined],
    ["192.0.2.7", "192.0.2.7"],
    ["127.0.0.1", "203.0.113.1"],
  ] as const)
    read(requestFrom(remote, forwarded))
  expect(told).toEqual([])
  for (const visitor of ["203.0.113.1", "203.0.113.2"]) {
    const request = requestFrom("172.18.0.2", visitor)
    // A request is read again where its socket is let in.
    expect([read(request), read(request)]).toEqual(["172.18.0.2", "172.18.0.2"])
  }
  read(requestFrom("10.0.0.1", "203.0.113.1"))
  expect(told).toEqual(["172.18.0.2", "10.0.0.1"])
})
