import { expect, test } from "@playwright/test"
import { makeNeighbour, programOf } from "./stranger.ts"
import { isConnected, openTwo, say, shows, textsOn } from "./stranger-people.ts"

const next = programOf("next")

test("an app of `create-next-app` has two browsers that talk once `init` has run, and loses nothing over a kill", async ({
  browser,
}) => {
  using app = await makeNeighbour()
  app.run("throughline", "init", "--yes", "--no-install", "--example", "chat")
  await using servers = new AsyncDisposableStack()
  const first = servers.use(await app.start([next, "dev"], { path: "/chat" }))
  app.run("tsc", "--noEmit")
  await using people = await openTwo(browser, `${first.url}/chat`)
  const { alice, bob } = people
  await Promise.all([isConnected(alice), isConnected(bob)])
  await say(alice, "one")
  await shows(bob, ["one"])

  await first.kill()
  await expect(alice.getByRole("status")).not.toHaveText("socketio: connected")
  await say(alice, "two")
  await say(bob, "three")
  servers.use(await app.start([next, "dev"], { path: "/chat", port: first.port }))
  await Promise.all([isConnected(alice), isConnected(bob)])
  await expect.poll(async () => (await textsOn(alice)).toSorted()).toEqual(["one", "three", "two"])
  await shows(bob, await textsOn(alice))
  expect(await people.downloaded()).toEqual(["socketio"])
})
