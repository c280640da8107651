import { createSocketIoPublisher } from "throughline/socketio/server"
import { freePort } from "throughline/testing"
import { expect, it } from "vitest"
import { revokeEverywhere } from "./revoke-everywhere.ts"

it("says where it couldn't be told, whatever fails: opening, asking, or closing", async () => {
  const publisher = createSocketIoPublisher({
    internalUrl: `http://127.0.0.1:${await freePort()}`,
    publicUrl: undefined,
    secret: "an internal secret of this test, long enough",
  })
  const told = { ...publisher, revoke: async () => {} }
  const refused = () => Promise.reject(new Error("refused"))
  expect(await revokeEverywhere(refused, "alice")).toEqual(["every provider (refused)"])
  expect(await revokeEverywhere(async () => [{ ...told, close: refused }, told], "alice")).toEqual([
    "socketio (refused)",
  ])
  expect(await revokeEverywhere(async () => [publisher], "alice")).toEqual([
    expect.stringMatching(/^socketio \(.+\)$/),
  ])
  expect(await revokeEverywhere(async () => [told], "alice")).toEqual([])
})
