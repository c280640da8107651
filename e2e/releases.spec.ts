import { expect, test } from "@playwright/test"
import { startPostgres } from "../realtime/testing/postgres.ts"
import { startRedis } from "../realtime/testing/redis.ts"
import { explainMissing, tools } from "../scripts/tools.ts"
import { startNginx } from "../server/testing/nginx.ts"
import { freePort, startServers } from "./chat-servers.ts"
import { buildNextRelease } from "./next-release.ts"
import { Person, signIn } from "./person.ts"
import { textsOf } from "./texts.ts"

for (const tool of [tools.nginx, tools.postgres, tools.redis])
  test.skip(tool.find() === null, explainMissing(tool))

test("people on pages of two releases talk while both run, and go on when the older one ends", async ({
  browser,
}) => {
  using next = await buildNextRelease((project) =>
    project.edit("app/rooms/[room]/composer.tsx", ['placeholder={t("placeholder")}', 'placeholder="Newer"']),
  )
  await using postgres = await startPostgres()
  await using redis = await startRedis()
  const env = { DATABASE_URL: postgres.connectionString, REDIS_URL: redis.url }
  const ports = [await freePort(), await freePort()] as const
  const older = await startServers([{ file: "server/main.ts", port: ports[0] }], { env })
  await using _ = older
  await using nginx = await startNginx(ports)

  const errors: string[] = []
  async function openBrowser() {
    const context = await browser.newContext({ baseURL: nginx.url })
    context.on("weberror", (error) => errors.push(String(error.error())))
    // A page asks again for whatever else a process took with it.
    context.on("response", (response) => {
      if (response.status() >= 400 && response.url().includes("/_next/"))
        errors.push(`${response.status()} ${response.url()}`)
    })
    return context
  }
  const alice = await signIn(await openBrowser(), "Alice")
  const hers = await alice.createRoom("Rollout")
  await hers.send("before")

  await using newer = await startServers([{ file: "server/main.ts", port: ports[1] }], {
    ...{ folder: next.folder, env },
  })
  const bob = new Person(await (await openBrowser()).newPage(), "Bob", textsOf(), { isNewcomer: true })
  const his = await bob.joinRoom(hers.url)
  // The balancer gives either page, whose chunks only one of the processes has.
  const wanted = new Set(["Newer", textsOf().composer.placeholder])
  while (wanted.size > 0) {
    await bob.page.reload()
    await his.expectConnected()
    wanted.delete((await his.composer.getAttribute("placeholder")) ?? "")
  }
  for (const room of [hers, his]) await room.expectWritten(["before"])
  await hers.send("old to new")
  for (const room of [hers, his]) await room.expectWritten(["before", "old to new"])
  await his.send("new to old")
  for (const room of [hers, his]) await room.expectWritten(["before", "old to new", "new to old"])

  // What an older page asks for, whichever release answers.
  for (const name of ["First", "Second", "Third"]) await (await alice.createRoom(name)).send(name)
  await alice.rooms.link("Rollout").click()
  await hers.expectWritten(["before", "old to new", "new to old"])

  await older.stop("SIGTERM")
  await hers.send("after")
  for (const room of [hers, his]) await room.expectWritten(["before", "old to new", "new to old", "after"])
  await his.send("and on")
  for (const room of [hers, his])
    await room.expectWritten(["before", "old to new", "new to old", "after", "and on"])
  await alice.createRoom("Only the newer one")
  expect(errors).toEqual([])
  expect(newer.url).toContain(String(ports[1]))
})
