import { expect, test } from "./fixtures.ts"

test("theme and language are chosen in the settings, and stay", async ({ people }) => {
  const alice = await people.signIn("Alice", { colorScheme: "light" })
  const { page, texts } = alice
  const html = page.locator("html")
  const choose = async (role: "menuitem" | "menuitemradio", name: string) => {
    await page.getByRole("button", { name: texts.settings.menu.replace("{name}", "Alice") }).click()
    await page.getByRole(role, { name }).click()
    await page.keyboard.press("Escape")
  }
  await expect(html).toHaveCSS("color-scheme", "light")
  await choose("menuitemradio", texts.settings.dark)
  await expect(html).toHaveCSS("color-scheme", "dark")
  await page.reload()
  await expect(html).toHaveCSS("color-scheme", "dark")
  await choose("menuitemradio", texts.settings.system)
  await expect(html).toHaveCSS("color-scheme", "light")
  await choose("menuitem", "日本語")
  await expect(html).toHaveAttribute("lang", "ja")
  await page.reload()
  await expect(html).toHaveAttribute("lang", "ja")
})

test("with fingers alone: a tap brings the tools, and they work", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 390, height: 720 }, hasTouch: true })
  const { page, texts } = alice
  const room = await alice.createRoom("Fingers")
  await room.composer.fill("touch me")
  await page.getByRole("button", { name: texts.composer.send, exact: true }).tap()
  await room.expectAllSent()
  const message = room.message("touch me")
  await message.element.tap()
  await message.toolbar.getByRole("button", { name: texts.messages.react }).tap()
  await page.getByRole("dialog").getByRole("button", { name: "🎉" }).first().tap()
  await expect(message.reaction("🎉")).toHaveText(/1/)
  await page.getByRole("button", { name: texts.rooms.open }).tap()
  await alice.rooms.link(texts.rooms.lobby).tap()
  await expect(page.getByRole("heading", { name: texts.rooms.lobby, level: 1 })).toBeVisible()
})

test("what is read elsewhere before a tab is connected isn't unread in it", async ({ people }) => {
  const alice = await people.newcomer("Alice")
  const bob = await people.signIn("Bob")
  const his = await bob.createRoom("Elsewhere")
  await alice.joinRoom(his.url)
  await alice.rooms.open(alice.texts.rooms.lobby)
  await his.send("have you read this?")
  await alice.rooms.expectUnread("Elsewhere", 1)

  const late = await alice.page.context().newPage()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await late.routeWebSocket(/socket\.io/, async (socket) => {
    await released
    socket.connectToServer()
  })
  await late.route(/socket\.io/, async (route) => {
    await released
    await route.fallback()
  })
  await late.goto(alice.page.url())
  const unread = late.getByRole("link", { name: /Elsewhere/ }).getByTestId("unread")
  await expect(unread).toHaveCount(1)

  await alice.rooms.open("Elsewhere")
  await alice.rooms.expectUnread("Elsewhere", null)
  await expect(late.locator("[data-connection=connecting]")).toHaveCount(1)
  release()
  await expect(unread).toHaveCount(0)
})

test("what is said between the page and its connection stands in it once", async ({ people }) => {
  const alice = await people.newcomer("Alice")
  const bob = await people.signIn("Bob")
  const his = await bob.createRoom("Between")
  await alice.joinRoom(his.url)
  await his.send("before")
  await his.expectAllSent()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await alice.page.routeWebSocket(/socket\.io/, async (socket) => {
    await released
    socket.connectToServer()
  })
  await alice.page.route(/socket\.io/, async (route) => {
    await released
    await route.fallback()
  })
  await alice.page.goto(his.url)
  const texts = alice.page.getByTestId("message-text")
  await expect(texts).toHaveText(["before"])
  await his.send("in between")
  await his.expectAllSent()
  release()
  await expect(texts).toHaveText(["before", "in between"])
  await his.send("after")
  await expect(texts).toHaveText(["before", "in between", "after"])
})

test("one reacts, answers and deletes by the keyboard alone, and keeps one's place", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const { page, texts } = alice
  const { keyboard } = page
  const room = await alice.createRoom("Keys")
  await room.send("one", "two")
  await room.expectAllSent()
  const { toolbar, element } = room.message("one")
  const tool = (name: string) => toolbar.getByRole("button", { name })

  const toTools = async () => {
    await element.focus()
    // What others think of it comes before.
    await expect
      .poll(async () => {
        await keyboard.press("Tab")
        return tool(texts.messages.react).evaluate((candidate) => candidate === document.activeElement)
      })
      .toBe(true)
  }
  await toTools()
  await keyboard.press("Enter")
  await expect(page.getByRole("dialog")).toBeVisible()
  await expect(page.getByRole("dialog").getByRole("button").first()).toBeFocused()
  await keyboard.press("Enter")
  await expect(element.getByRole("list", { name: texts.messages.reactions }).getByRole("button")).toHaveCount(
    1,
  )

  await toTools()
  await keyboard.press("ArrowRight")
  await expect(tool(texts.messages.reply)).toBeFocused()
  await keyboard.press("Enter")
  await expect(room.composer).toBeFocused()
  await keyboard.type("an answer")
  await keyboard.press("Enter")
  await expect(room.message("an answer").element.getByTestId("quote")).toBeVisible()

  await toTools()
  await keyboard.press("ArrowRight")
  await keyboard.press("ArrowRight")
  await expect(tool(texts.messages.more)).toBeFocused()
  await keyboard.press("Enter")
  const item = page.getByRole("menuitem", { name: texts.messages.delete, exact: true })
  await expect
    .poll(async () => {
      await keyboard.press("ArrowDown")
      return item.evaluate((candidate) => candidate === document.activeElement)
    })
    .toBe(true)
  await keyboard.press("Enter")
  const button = page
    .getByRole("alertdialog")
    .getByRole("button", { name: texts.messages.delete, exact: true })
  await expect
    .poll(async () => {
      await keyboard.press("Tab")
      return button.evaluate((candidate) => candidate === document.activeElement)
    })
    .toBe(true)
  await keyboard.press("Enter")
  await expect(room.log.getByText(texts.messages.deleted).first()).toBeVisible()
  await expect.poll(() => page.evaluate(() => document.activeElement === document.body)).toBe(false)
})

test("four thousand emoji arrive whole", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Confetti")
  const his = await bob.joinRoom(hers.url)
  const confetti = "😀".repeat(4_000)
  await hers.send(confetti)
  await his.expectWritten([confetti])
})
