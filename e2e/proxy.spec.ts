import { foreignFormAnswer } from "../lib/security/foreign-form.ts"
import { explainMissing, tools } from "../scripts/tools.ts"
import { defaultSite, shippedSite, startNginx } from "../server/testing/nginx.ts"
import { expect, test } from "./fixtures.ts"
import { signIn } from "./person.ts"
import { textsOf } from "./texts.ts"

test.skip(tools.nginx.find() === null, explainMissing(tools.nginx))

const portOf = (url: string) => Number(new URL(url).port)

test("behind nginx as it is configured here people write to each other", async ({ browser, chat }) => {
  // What it says once it has a certificate.
  await using nginx = await startNginx(
    [portOf(chat.url)],
    shippedSite.replace("Proto $scheme;", "Proto https;"),
  )
  const context = await browser.newContext({ baseURL: nginx.url })
  const sockets: string[] = []
  context.on("page", (page) => page.on("websocket", (socket) => sockets.push(socket.url())))
  const alice = await signIn(context, "Alice")
  const redirects: { [header: string]: string }[] = []
  alice.page.on("response", (response) => {
    if (response.headers()["x-action-redirect"]) redirects.push(response.headers())
  })
  const room = await alice.createRoom("Behind a proxy")
  // With the page that it leads to: asking for that again would cost another way there and back.
  expect(redirects).toEqual([expect.objectContaining({ "content-type": "text/x-component" })])
  await room.expectConnected()
  await room.send("through nginx")
  await room.expectWritten(["through nginx"])
  expect(sockets).toEqual([expect.stringContaining(`:${portOf(nginx.url)}/socket.io/`)])
  await context.close()
})

test("behind nginx with nothing but `proxy_pass`, over http, somebody is told what has to be set", async ({
  playwright,
  launchOptions,
  chat,
}) => {
  await using nginx = await startNginx([portOf(chat.url)], defaultSite())
  // Browsers say to localhost what they don't say elsewhere over http.
  const args = [...(launchOptions.args ?? []), "--host-resolver-rules=MAP chat.test 127.0.0.1"]
  const browser = await playwright.chromium.launch({ ...launchOptions, args })
  const origin = `http://chat.test:${portOf(nginx.url)}`
  for (const locale of ["en-US", "ja-JP"]) {
    const { pages, welcome } = textsOf(locale)
    const page = await browser.newPage({ locale })
    await page.goto(origin)
    await page.getByRole("textbox", { name: welcome.name }).fill("Alice")
    await page.getByRole("button", { name: welcome.enter }).click()
    await expect(page.getByRole("heading", { name: pages.addressTitle })).toBeVisible()
    await expect(page.getByText(pages.addressLead.replace("{origin}", origin))).toBeVisible()
  }
  const { welcome } = textsOf()
  const unscripted = await (await browser.newContext({ javaScriptEnabled: false, locale: "en-US" })).newPage()
  await unscripted.goto(origin)
  await unscripted.getByRole("textbox", { name: welcome.name }).fill("Alice")
  await unscripted.getByRole("button", { name: welcome.enter }).click()
  await expect(unscripted.getByText(foreignFormAnswer)).toBeVisible()
  await browser.close()
})
