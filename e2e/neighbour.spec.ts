import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { expect, test } from "@playwright/test"
import { projectDir, tsc } from "../scripts/run.ts"
import { makeNeighbour, programOf } from "./stranger.ts"
import { isConnected, openTwo, say, shows } from "./stranger-people.ts"

test("an app of `create-next-app` has two browsers that talk once `init` has run, with one provider's code", async ({
  browser,
}) => {
  using app = await makeNeighbour()
  app.run("throughline", "init", "--yes", "--no-install", "--example", "chat")
  await using server = await app.start([programOf("next"), "dev"], { path: "/chat" })
  await using people = await openTwo(browser, `${server.url}/chat`)
  const { alice, bob } = people
  await Promise.all([isConnected(alice), isConnected(bob)])
  await say(alice, "one")
  await shows(bob, ["one"])
  await say(bob, "two")
  await shows(alice, ["one", "two"])
  expect(await people.downloaded()).toEqual(["socketio"])
  // By what Next.js has written of its routes meanwhile, too.
  execFileSync(process.execPath, [join(projectDir, tsc), "--noEmit"], { cwd: app.folder, stdio: "pipe" })
})
