import { expect, test } from "./fixtures.ts"

test("what people write is text, and a script that got into a page doesn't run", async ({ people }) => {
  const alice = await people.signIn("<b>Alice</b>")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom(`<img src=x onerror="document.title='owned'">`)
  const his = await bob.joinRoom(hers.url)
  const attacks = [
    `<script>document.title = "owned"</script>`,
    `<img src=x onerror="document.title='owned'">`,
    `[click](javascript:document.title='owned')`,
  ]
  await hers.send(...attacks)
  await his.expectWritten(attacks)
  await expect(bob.page).not.toHaveTitle("owned")
})

test("each page is sent with a policy of its own, and the policy holds", async ({ page }) => {
  const policies = new Set<string>()
  for (const path of ["/", "/lab", "/rooms/nowhere", "/invitations/made-up"]) {
    const answer = await page.goto(path)
    const headers = answer?.headers() ?? {}
    const policy = headers["content-security-policy"] ?? ""
    expect(policy).toMatch(/script-src 'self' 'nonce-[\w+/=]{24}' 'strict-dynamic'(;| 'unsafe-eval';)/)
    policies.add(policy)
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
    })
    expect(headers["x-powered-by"]).toBeUndefined()
  }
  expect(policies.size).toBe(4)

  const refused = page.waitForEvent("console", (message) =>
    message.text().includes("Content Security Policy"),
  )
  await page.evaluate(() => {
    const element = document.createElement("div")
    element.innerHTML = `<img src="data:," onerror="document.title = 'owned'">`
    document.body.append(element)
  })
  await refused
  await expect(page).not.toHaveTitle("owned")
})

/** One of each kind of answer that the app gives, whatever is asked for. */
const answers: [path: string, status: number][] = [
  ["/", 200],
  ["/rooms/lobby", 307],
  ["/invitations/made-up", 307],
  ["/nothing", 404],
  ["/icon.svg/nothing", 404],
  ["/api", 404],
  ["/api/nothing", 404],
  ["/api/chat/nothing/here", 404],
  ["/api/health", 200],
  ["/api/chat/unread", 401],
  ["/api/realtime/nothing", 400],
  ["/icon.svg", 200],
  ["/_next/nothing", 404],
  ["/_next/static/nothing.js", 404],
]

test("whatever is answered has the headers that browsers go by, and each page its policy", async ({
  page,
}) => {
  const [scriptAt] = await page
    .goto("/")
    .then(async (answer) => /\/_next\/static\/[^"]+\.js/.exec((await answer?.text()) ?? "") ?? [])
  expect(scriptAt).toBeDefined()
  for (const [path, status] of [...answers, [scriptAt ?? "", 200] as const]) {
    const answer = await page.request.get(path, { maxRedirects: 0 })
    const headers = answer.headers()
    expect.soft([path, answer.status()]).toEqual([path, status])
    expect.soft([path, headers["x-content-type-options"]]).toEqual([path, "nosniff"])
    const isPage = headers["content-type"]?.startsWith("text/html") === true
    const policy = headers["content-security-policy"] ?? ""
    if (isPage) expect.soft([path, /script-src [^;]*'nonce-/.test(policy)]).toEqual([path, true])
    expect.soft([path, headers["access-control-allow-origin"]]).toEqual([path, undefined])
    // Another site's page may ask whether it may; nobody says that it may.
    const asked = { origin: "https://evil.example", "access-control-request-method": "POST" }
    const preflight = await page.request.fetch(path, { method: "OPTIONS", headers: asked, maxRedirects: 0 })
    expect.soft([path, preflight.headers()["access-control-allow-origin"]]).toEqual([path, undefined])
  }
})

test("an action is done for the app's own pages alone, by script or as a form", async ({
  people,
  layout,
}) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const sent = page.waitForRequest((request) => request.headers()["next-action"] !== undefined)
  await alice.createRoom("Once")
  const original = await sent
  const { origin: own = "", "content-type": type = "", "next-action": id = "" } = await original.allHeaders()
  const body = original.postDataBuffer() ?? Buffer.alloc(0)
  const send = async (origin: string, action: string | null, data = body, contentType = type) => {
    const headers = { origin, "content-type": contentType, ...(action !== null && { "next-action": action }) }
    return (await page.request.post(original.url(), { headers, data, maxRedirects: 0 })).status()
  }
  const rooms = async () => {
    await page.reload()
    return alice.rooms.link("Once").count()
  }
  // As a page without script would send it: the action's name is a field of the form.
  const boundary = /boundary=(.+)$/.exec(type)?.[1] ?? "x"
  const field = `--${boundary}\r\nContent-Disposition: form-data; name="$ACTION_ID_${id}"\r\n\r\n\r\n`
  // Our servers say why before Next.js sees it; functions have Next.js alone.
  const refused = layout.startsWith("serverless") ? 500 : 403
  for (const origin of ["https://evil.example", "null", "http://evil.example"]) {
    expect([origin, await send(origin, id)]).toEqual([origin, refused])
    const asForm = await send(
      origin,
      null,
      Buffer.concat([Buffer.from(field), body]),
      `multipart/form-data; boundary=${boundary}`,
    )
    expect([origin, asForm]).toEqual([origin, refused])
    await send(origin, id, body, "text/plain")
  }
  expect(await rooms()).toBe(1)
  expect(await send(own, id)).toBeLessThan(400)
  expect(await rooms()).toBe(2)
})
