import { expect, test } from "@playwright/test"
import { copyProject } from "../scripts/copy-project.ts"
import { startDevelopment } from "./chat-servers.ts"
import { textsOf } from "./texts.ts"

test("`npm run dev` answers a newcomer's first request, in a checkout in which nothing was compiled yet", async ({
  request,
}) => {
  using project = copyProject()
  await using chat = await startDevelopment(project.folder)
  // Turbopack compiles what the page loads before it answers.
  const response = await request.get(chat.url, { timeout: 120_000 })
  expect(response.status()).toBe(200)
  expect(await response.text()).toContain(textsOf("en-US").welcome.name)
})
