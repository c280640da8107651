import { join } from "node:path"
import { projectDir } from "../scripts/run.ts"
import { expect, test } from "./fixtures.ts"
import { packagesOf, readFunctions } from "./serverless/functions.ts"

const catchAll = "api/realtime/[...path]"

test("a publish loads the chosen provider's SDK, and neither the other's nor a socket server", async ({
  people,
  chat,
  layout,
}) => {
  const chosen = layout.replace("serverless-", "")
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Loaded")
  await room.send("loaded")
  await room.expectWritten(["loaded"])
  const loaded = () => [...(chat.platform?.loadedBy(catchAll) ?? [])]
  const isLoaded = (name: string) => loaded().some((path) => path.includes(`node_modules/${name}`))
  // A function tells what it has loaded when it is done, which is after its answer.
  await expect.poll(() => isLoaded(chosen)).toBe(true)
  expect(["pusher", "ably"].map(isLoaded)).toEqual([chosen === "pusher", chosen === "ably"])
  expect(["socket.io", "engine.io"].map(isLoaded)).toEqual([false, false])
  expect(loaded().filter((path) => /sqlite-store|log\/sqlite|providers\/socketio/.test(path))).toEqual([])
})

test("no function carries the socket server, and the route's time is bounded", () => {
  const functions = readFunctions(join(projectDir, ".vercel", "output"))
  expect(functions.map(({ name }) => name)).toEqual(
    expect.arrayContaining([catchAll, "index", "rooms/[room]"]),
  )
  for (const emitted of functions) {
    const packages = packagesOf(emitted)
    for (const name of ["socket.io", "engine.io", "socket.io-client"]) expect(packages).not.toContain(name)
  }
  expect(functions.find(({ name }) => name === catchAll)?.maxDuration).toBe(15)
})

test("what a credential answers is kept by no cache, and tells no secret", async ({ people, layout }) => {
  const alice = await people.signIn("Alice")
  const provider = layout.replace("serverless-", "")
  const data =
    provider === "pusher"
      ? { socketId: "1.2", channel: "room:lobby", kind: "messages" }
      : { channels: ["room:lobby"] }
  const response = await alice.page.request.post(`/api/realtime/credentials/${provider}`, { data })
  expect(response.status()).toBe(200)
  expect(response.headers()["cache-control"]).toBe("no-store")
  expect(await response.text()).not.toContain("app-secret")
})
