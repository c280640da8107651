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
