import { expect, it } from "vitest"
import { createSocketIoPublisher } from "./server.ts"
import { createTickets } from "./tickets.ts"

it("refuses an empty secret, with which anybody could sign", () => {
  const refused = expect.objectContaining({ code: "invalid-config" })
  expect(() => createTickets({ secret: "" })).toThrow(refused)
  expect(() => createSocketIoPublisher({ internalUrl: "http://127.0.0.1:1", secret: "" })).toThrow(refused)
})

const user = { id: "1", name: "Alice" }
const unauthorized = expect.objectContaining({ code: "unauthorized" })

it("takes its own tickets and nobody else's", () => {
  const ticket = createTickets({ secret: "ours" }).issue(user)
  expect(createTickets({ secret: "ours" }).verify(ticket)).toEqual(user)
  expect(() => createTickets({ secret: "theirs" }).verify(ticket)).toThrow(unauthorized)
})

it("takes a ticket for a minute, and a little longer, since clocks differ", () => {
  let time = 1_000_000
  const tickets = createTickets({ secret: "ours", now: () => time })
  const ticket = tickets.issue({ id: "1" })
  time += 65_000
  expect(tickets.verify(ticket)).toEqual({ id: "1" })
  time += 1
  expect(() => tickets.verify(ticket)).toThrow(unauthorized)
})

it("refuses a ticket that was changed, and what is none", () => {
  const tickets = createTickets({ secret: "ours" })
  const [claims = "", signature = ""] = tickets.issue(user).split(".")
  const other = Buffer.from(JSON.stringify({ user: { id: "2" }, expiresAt: Number.MAX_SAFE_INTEGER }))
  const changed = [`${other.toString("base64url")}.${signature}`, claims, `${claims}.`, `.${signature}`]
  for (const ticket of [...changed, "", ".", "a.b.c", undefined, null, 7, {}, [`${claims}.${signature}`]])
    expect(() => tickets.verify(ticket)).toThrow(unauthorized)
})
