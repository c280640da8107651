import { expect, it } from "vitest"
import { unavailability } from "./postgres-failure.ts"

const failure = (code?: string, name = "Error") => Object.assign(new Error("failed"), { name, code })

it.each([
  ...["EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ECONNABORTED", "ECONNREFUSED", "EPIPE", "ENEW"],
  ...["40001", "40P01", "57P03", "08006", "SELF_SIGNED_CERT_IN_CHAIN", undefined],
])("takes %s for a database that can't be used now", (code) => {
  expect(unavailability(failure(code))).toEqual(expect.any(String))
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
