import { expect, it } from "vitest"
import { toLogError, unavailability } from "./postgres-failure.ts"

const failure = (code?: string, name = "Error") => Object.assign(new Error("failed"), { name, code })

it.each([
  ...["EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ECONNABORTED", "ECONNREFUSED", "EPIPE", "ENEW"],
  ...["40001", "40P01", "57P03", "08006", "SELF_SIGNED_CERT_IN_CHAIN", undefined],
])("takes %s for a database that can't be used now", (code) => {
  expect(unavailability(failure(code))).toEqual(expect.any(String))
})

/** As Node tells of a host of which it tried two addresses (`autoSelectFamily`). */
const ofTwoAddresses = (code: string) =>
  Object.assign(new AggregateError([failure(code), failure(code)]), { code })

it.each([
  ["ENETUNREACH", "PostgreSQL cannot be reached or does not answer"],
  ["EHOSTUNREACH", "PostgreSQL cannot be reached or does not answer"],
  ["ETIMEDOUT", "PostgreSQL doesn't answer"],
  ["ECONNREFUSED", "nothing answers at PostgreSQL's address"],
])("says of %s, at one address or at two, what it means", (code, reason) => {
  for (const cause of [failure(code), ofTwoAddresses(code)]) {
    expect(unavailability(cause)).toBe(reason)
    expect(toLogError("append", cause)).toMatchObject({
      code: "log-unavailable",
      message: `[realtime] unable to append; ${reason}`,
    })
  }
})

it("names the code of what PostgreSQL answered", () => {
  expect(toLogError("append", failure("42P01")).message).toContain("PostgreSQL answered with 42P01")
})

it.each([
  failure("42P01"),
  failure("23505"),
  failure("XX000"),
  failure("ERR_INVALID_ARG_TYPE", "TypeError"),
  failure(undefined, "TypeError"),
  "no error",
])("takes %s for a question that was wrong", (cause) => {
  expect(unavailability(cause)).toBeNull()
})
