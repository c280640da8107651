import { AxeBuilder } from "@axe-core/playwright"
import type { Locator, Page } from "@playwright/test"
import { expect, test } from "./fixtures.ts"
import { textsOf } from "./texts.ts"

/** What axe calls serious or critical, in words that say where. */
async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`))
}

const widthOf = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth)

for (const locale of ["en-US", "ja-JP"]) {
  test(`the whole way from the door to a message, in ${locale}`, async ({ people }) => {
    const texts = textsOf(locale)
    const aki = await people.signIn("秋", { locale })
    await expect(aki.page.locator("html")).toHaveAttribute("lang", locale.slice(0, 2))
    const room = await aki.createRoom("港 / 8:30 🚢")
    await expect(room.log).toContainText(texts.messages.created.replace("{name}", ""))
    await room.send("こんにちは、世界")
    await room.expectWritten(["こんにちは、世界"])
    await room.expectAllSent()
  })
}

test("the other language is one click away, and stays", async ({ page }) => {
  await page.goto("/")
  await page.getByRole("button", { name: "日本語" }).click()
  const { welcome } = textsOf("ja")
  await expect(page.getByRole("heading", { name: welcome.title })).toBeVisible()
  await page.reload()
  await expect(page.getByRole("heading", { name: welcome.title })).toBeVisible()
  await expect(page.locator("html")).toHaveAttribute("lang", "ja")
})

test("at 320 px everything is in reach, and nothing sticks out", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 320, height: 568 } })
  const room = await alice.createRoom("A room with a name that is much longer than a narrow screen")
  await room.send(
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3),
  )
  await expect(room.written).toHaveCount(1)
  await expect(room.composer).toBeInViewport({ ratio: 1 })
  expect(await widthOf(alice.page)).toBeLessThanOrEqual(320)
})

for (const { held, viewport, insets } of [
  {
    held: "upright",
    viewport: { width: 390, height: 844 },
    insets: { top: 59, right: 0, bottom: 34, left: 0 },
  },
  {
    held: "on its side",
    viewport: { width: 740, height: 390 },
    insets: { top: 0, right: 59, bottom: 21, left: 59 },
  },
]) {
  test(`of a phone held ${held}, neither notch nor bar covers what is pressed`, async ({ people }) => {
    const alice = await people.signIn("Alice", { viewport })
    const room = await alice.createRoom("Harbour")
    const { page, texts } = alice
    const session = await page.context().newCDPSession(page)
    await session.send("Emulation.setSafeAreaInsetsOverride", { insets })
    /** The controls of which a part that shows, and no list has scrolled away, lies under notch or bar. */
    const covered = () =>
      page
        .getByRole("button")
        .or(page.getByRole("link"))
        .or(page.getByRole("textbox"))
        .evaluateAll(
          (controls, { top, right, bottom, left }) =>
            new Promise<string[]>((resolve) => {
              const observer = new IntersectionObserver((entries) => {
                observer.disconnect()
                resolve(
                  entries.flatMap(({ isIntersecting, intersectionRect: shown, target }) =>
                    isIntersecting &&
                    // What only touches the edge from outside intersects, and nothing of it shows.
                    shown.height * shown.width > 0 &&
                    (shown.top < top ||
                      shown.left < left ||
                      shown.bottom > innerHeight - bottom ||
                      shown.right > innerWidth - right)
                      ? [target.outerHTML]
                      : [],
                  ),
                )
              })
              for (const control of controls) observer.observe(control)
            }),
          insets,
        )
    await expect(room.composer).toBeInViewport({ ratio: 1 })
    await expect.poll(covered).toEqual([])
    await page.getByRole("button", { name: texts.rooms.open }).click()
    await expect(page.getByRole("button", { name: texts.rooms.close })).toBeInViewport({ ratio: 1 })
    await expect.poll(covered).toEqual([])
  })
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious, in ${colorScheme}`, async ({ people, browser, chat }) => {
    const context = await browser.newContext({ baseURL: chat.url, colorScheme })
    const door = await context.newPage()
    await door.goto("/")
    expect(await seriousFindings(door)).toEqual([])
    await context.close()

    const alice = await people.signIn("Alice", { colorScheme })
    const bob = await people.newcomer("Bob", { colorScheme })
    const hers = await alice.createRoom("Accessible")
    const his = await bob.joinRoom(hers.url)
    await hers.send("from Alice")
    await hers.expectWritten(["from Alice"])
    await his.send("from Bob")
    await hers.expectWritten(["from Alice", "from Bob"])
    await hers.expectPresent(["Alice", "Bob"])
    expect(await seriousFindings(alice.page)).toEqual([])
  })
}

test("the first stop of the keyboard leads past the list of rooms", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Far down")
  await alice.openRoom(room.url)
  const { keyboard } = alice.page
  await keyboard.press("Tab")
  const link = alice.page.getByRole("link", { name: alice.texts.app.skip })
  await expect(link).toBeFocused()
  await expect(link).toBeInViewport()
  await keyboard.press("Enter")
  await keyboard.press("Tab")
  const isPastTheRooms = () =>
    alice.page.evaluate(
      () => document.activeElement?.closest("main") !== null && !document.activeElement?.closest("nav"),
    )
  expect(await isPastTheRooms()).toBe(true)
})

test("nothing moves for whoever wishes that", async ({ people }) => {
  const alice = await people.signIn("Alice")
  await alice.page.emulateMedia({ reducedMotion: "reduce" })
  const motion = await alice.page.evaluate(() => {
    const element = document.body.appendChild(document.createElement("div"))
    element.className = "animate-spin"
    const { animationDuration, animationIterationCount } = getComputedStyle(element)
    element.remove()
    return [animationDuration, animationIterationCount]
  })
  expect(motion).toEqual(["1e-05s", "1"])
})

test("whoever has left their page alone for minutes is away, and here again with the next sign of life", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const { url } = await alice.createRoom("Tea")
  await bob.joinRoom(url)
  await alice.page.clock.install()
  await alice.openRoom(url)
  const shown = bob.page.getByRole("list", { name: bob.texts.presence.label }).getByRole("listitem")
  const hers = (state: string) => shown.filter({ hasText: `Alice, ${state}` })
  const { presence } = bob.texts
  await expect(hers(presence.active)).toBeVisible()
  await alice.page.clock.fastForward("03:30")
  await expect(hers(presence.away)).toBeVisible()
  await alice.page.mouse.move(200, 200)
  await alice.page.mouse.move(210, 210)
  await expect(hers(presence.active)).toBeVisible()
})

test("without a network a room isn't made, joined or left, which is said, and the chat stays", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Harbour")
  const link = await hers.invitationLink()
  const { rooms, invitation, errors } = bob.texts
  const browser = bob.page.context()

  const dialog = bob.page.getByRole("dialog", { name: rooms.createTitle })
  await bob.page.getByRole("button", { name: rooms.create }).click()
  const name = dialog.getByRole("textbox", { name: rooms.name })
  await name.fill("Island")
  await browser.setOffline(true)
  await dialog.getByRole("button", { name: rooms.submit }).click()
  await expect(dialog.getByRole("alert")).toHaveText(errors["not-connected"])
  // What was written stays.
  await expect(name).toHaveValue("Island")
  await browser.setOffline(false)
  await dialog.getByRole("button", { name: rooms.submit }).click()
  await expect(bob.page.getByRole("heading", { name: "Island", level: 1 })).toBeVisible()

  await bob.page.goto(link)
  const accept = bob.page.getByRole("button", { name: invitation.accept })
  await browser.setOffline(true)
  await accept.click()
  await expect(bob.page.getByRole("alert").filter({ hasText: errors["not-connected"] })).toBeVisible()
  await browser.setOffline(false)
  await accept.click()
  const his = await bob.openRoom()

  await bob.page.getByRole("button", { name: rooms.menu }).click()
  await bob.page.getByRole("menuitem", { name: rooms.leave }).click()
  const leaving = bob.page.getByRole("alertdialog")
  await browser.setOffline(true)
  await leaving.getByRole("button", { name: rooms.leave }).click()
  await expect(leaving.getByRole("alert")).toHaveText(errors["not-connected"])
  await leaving.getByRole("button", { name: rooms.cancel }).click()
  await expect(his.log).toBeVisible()
  await browser.setOffline(false)
  await his.expectConnected()
  await his.leave()
})

test("who signs out is asked first, and told that a guest can't come back", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const { settings, welcome, rooms, errors } = alice.texts
  const ask = async () => {
    await page.getByRole("button", { name: settings.menu.replace("{name}", "Alice") }).click()
    await page.getByRole("menuitem", { name: settings.signOut }).click()
    const dialog = page.getByRole("alertdialog", { name: settings.signOutTitle })
    await expect(dialog).toContainText(settings.signOutLead.replace("{name}", "Alice"))
    return dialog
  }
  await (await ask()).getByRole("button", { name: settings.stay }).click()
  await expect(page.getByRole("alertdialog")).toHaveCount(0)
  await page.reload()
  await expect(page.getByRole("heading", { name: rooms.lobby, level: 1 })).toBeVisible()

  const dialog = await ask()
  const yes = dialog.getByRole("button", { name: settings.signOut })
  await page.context().setOffline(true)
  await yes.click()
  await expect(dialog.getByRole("alert")).toHaveText(errors["not-connected"])
  await page.context().setOffline(false)
  await yes.click()
  await expect(page.getByRole("textbox", { name: welcome.name })).toBeVisible()
})

test("a page without a clipboard, as on plain HTTP, offers no copying and says what to do", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const { rooms, messages } = alice.texts
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "clipboard"))
  await page.reload()
  const room = await alice.createRoom("Plain")
  await room.send("text")
  const menu = await room.message("text").openMenu()
  await expect(menu.getByRole("menuitem", { name: messages.edit, exact: true })).toBeVisible()
  await expect(menu.getByRole("menuitem", { name: messages.copy })).toHaveCount(0)
  await page.keyboard.press("Escape")

  await page.getByRole("button", { name: rooms.menu }).click()
  await page.getByRole("menuitem", { name: rooms.invite }).click()
  const dialog = page.getByRole("dialog", { name: rooms.inviteTitle })
  await expect(dialog.getByRole("status")).toHaveText(rooms.copyYourself)
  await expect(dialog.getByRole("button", { name: rooms.copy, exact: true })).toHaveCount(0)
})

test("a link that is followed without a network waits for it, and takes nothing away meanwhile", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const room = await alice.createRoom("Tunnel")
  const { app, rooms } = alice.texts
  await room.composer.fill("half a sentence")
  await page.context().setOffline(true)
  await page.getByRole("link", { name: rooms.lobby }).click()
  await expect(page.getByRole("status").getByText(app.offlineLink)).toBeVisible()
  await expect(room.composer).toHaveValue("half a sentence")
  await page.context().setOffline(false)
  await expect(page.getByRole("heading", { name: rooms.lobby, level: 1 })).toBeVisible()
  await page.goBack()
  await expect(room.composer).toHaveValue("half a sentence")
})

test("a proxy that answers in the server's place is told of in words, and leaves the page as it is", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const room = await alice.createRoom("Behind a proxy")
  const { errors, settings } = alice.texts
  await page.route("**/*", (route) =>
    route.request().headers()["next-action"]
      ? route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" })
      : route.fallback(),
  )
  const openSettings = () => page.getByRole("button", { name: /Settings of Alice/ }).click()
  await openSettings()
  await page.getByRole("menuitem", { name: "日本語" }).click()
  await expect(page.getByRole("status").getByText(errors["not-connected"])).toBeVisible()

  await openSettings()
  await page.getByRole("menuitem", { name: settings.signOut }).click()
  const dialog = page.getByRole("alertdialog")
  await dialog.getByRole("button", { name: settings.signOut }).click()
  await expect(dialog.getByRole("alert")).toHaveText(errors["not-connected"])
  await page.keyboard.press("Escape")
  await expect(dialog).toHaveCount(0)
  await room.send("still here")

  await page.unrouteAll()
  await openSettings()
  await page.getByRole("menuitem", { name: "日本語" }).click()
  await expect(page.locator("html")).toHaveAttribute("lang", "ja")
})

test("an action that the server's release doesn't have leads to a page that offers to load it anew, and loses no draft", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const room = await alice.createRoom("Between releases")
  const { sessionEnd, settings } = alice.texts
  await room.composer.fill("half a sentence")
  await page.route("**/*", (route) => {
    const headers = route.request().headers()
    if (!headers["next-action"]) return route.fallback()
    return route.continue({ headers: { ...headers, "next-action": `7f${"0".repeat(40)}` } })
  })
  await page.getByRole("button", { name: /Settings of Alice/ }).click()
  await page.getByRole("menuitem", { name: settings.signOut }).click()
  await page.getByRole("alertdialog").getByRole("button", { name: settings.signOut }).click()
  await expect(page.getByRole("heading", { name: sessionEnd.outdatedTitle })).toBeVisible()
  await page.unrouteAll()
  await page.getByRole("button", { name: sessionEnd.reload }).click()
  await expect(room.composer).toHaveValue("half a sentence")
})

test("a text that the browser doesn't let copy is said not to be", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const { messages } = alice.texts
  const room = await alice.createRoom("Copies")
  await room.send("text")
  const answer = (isAllowed: boolean) =>
    page.evaluate((allowed) => {
      navigator.clipboard.writeText = () =>
        allowed ? Promise.resolve() : Promise.reject(new DOMException("no", "NotAllowedError"))
    }, isAllowed)
  for (const [isAllowed, said] of [
    [false, messages.copyFailed],
    [true, messages.copied],
  ] as const) {
    await answer(isAllowed)
    const menu = await room.message("text").openMenu()
    await menu.getByRole("menuitem", { name: messages.copy }).click()
    await expect(page.getByRole("status").getByText(said)).toBeVisible()
  }
})

test("the key that opens the search alone can be turned off, for good", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const { page } = alice
  const { settings, search } = alice.texts
  await alice.createRoom("Spoken commands")
  const dialog = page.getByRole("dialog", { name: search.title.replace("{room}", "Spoken commands") })
  const pressSlash = async () => {
    await page.getByRole("heading", { level: 1 }).click()
    await page.keyboard.press("/")
  }
  await pressSlash()
  await expect(dialog).toBeVisible()
  await page.keyboard.press("Escape")
  await expect(dialog).toHaveCount(0)

  await page.getByRole("button", { name: /Settings of Alice/ }).click()
  await page.getByRole("menuitemcheckbox", { name: settings.singleKeys }).click()
  await page.keyboard.press("Escape")
  await page.reload()
  await expect(page.getByRole("log")).toBeVisible()
  await pressSlash()
  // What would have opened is there by the time another way to it has opened it.
  await expect(dialog).toHaveCount(0)
  await page.keyboard.press("Control+k")
  await expect(dialog).toBeVisible()
  await expect(dialog.getByRole("combobox")).toHaveValue("")
})

for (const locale of ["en-US", "ja-JP"]) {
  test(`a text that can't be taken is refused with the reason, and none of it is cut, in ${locale}`, async ({
    browser,
    chat,
  }) => {
    const { welcome, rooms, names, length, search } = textsOf(locale)
    const tooLong = (max: number) => length.tooLong.replace("{max, number}", String(max))
    const context = await browser.newContext({ baseURL: chat.url, locale })
    const page = await context.newPage()
    await page.goto("/")
    const name = page.getByRole("textbox", { name: welcome.name })
    const enter = page.getByRole("button", { name: welcome.enter })
    const alert = page.getByRole("alert")
    for (const [written, reason] of [
      ["\u3164\u200b", names.invisible],
      ["a\u202eb", names.disturbing],
    ] as const) {
      await name.fill(written)
      await enter.click()
      await expect(alert.filter({ hasText: reason })).toBeVisible()
      await expect(name).toHaveValue(written)
    }
    /** Pasted, it is there as it was, with words that it is too long; and it isn't sent. */
    const expectWhole = async (field: Locator, max: number, send: () => Promise<void>) => {
      await field.fill("")
      await page.keyboard.insertText("x".repeat(200))
      await expect(field).toHaveValue("x".repeat(200))
      await expect(field).toHaveAccessibleDescription(tooLong(max))
      await send()
      await expect(field).toBeFocused()
      expect(await field.evaluate((input: HTMLInputElement) => input.validationMessage)).toBe(tooLong(max))
      await field.fill("x".repeat(max))
      await expect(field).toHaveAccessibleDescription("")
    }
    await expectWhole(name, 40, () => enter.click())
    await enter.click()
    await expect(page.getByRole("heading", { name: rooms.lobby, level: 1 })).toBeVisible()

    await page.getByRole("button", { name: rooms.create }).click()
    const dialog = page.getByRole("dialog", { name: rooms.createTitle })
    const submit = dialog.getByRole("button", { name: rooms.submit })
    await expectWhole(dialog.getByRole("textbox", { name: rooms.name }), 60, () => submit.click())
    await submit.click()
    await expect(page.getByRole("heading", { name: "x".repeat(60), level: 1 })).toBeVisible()

    // What is looked for, too.
    await page.keyboard.press("Control+k")
    const query = page.getByRole("combobox")
    await expect(query).toBeFocused()
    await page.keyboard.insertText("y".repeat(300))
    await expect(query).toHaveValue("y".repeat(300))
    await expect(page.getByRole("dialog").getByRole("alert")).toHaveText(tooLong(200))
    await query.fill("y")
    await expect(page.getByText(search.none.replace("{query}", "y"))).toBeVisible()
    await context.close()
  })
}

test("among many rooms one is found by its name, by keyboard and in Japanese", async ({ people }) => {
  const alice = await people.signIn("Alice", { locale: "ja-JP" })
  const { page, texts } = alice
  for (const name of ["港", "Harbour", "ハーバー", "Tea", "Garden", "Kitchen", "Attic", "Cellar"])
    await alice.createRoom(name)
  const filter = page.getByRole("textbox", { name: texts.rooms.filter })
  await filter.fill("nobody's")
  await expect(page.getByText(texts.rooms.found.match(/=0 \{(.+?)\}/)?.[1] ?? "")).toBeVisible()
  await expect(alice.rooms.yours).toHaveCount(0)
  // Neither width nor case matters.
  await filter.fill("ﾊｰﾊﾞｰ")
  await expect(alice.rooms.yours).toHaveText(/ハーバー/)
  await filter.fill("HARB")
  await expect(alice.rooms.yours).toHaveText(/Harbour/)
  await filter.press("Escape")
  await expect(filter).toHaveValue("")
  await expect(alice.rooms.link("Tea")).toBeVisible()
  await filter.fill("tea")
  await filter.press("Enter")
  await expect(page.getByRole("heading", { name: "Tea", level: 1 })).toBeVisible()
  await expect(filter).toHaveValue("")
})

/** Whether whoever goes by the keyboard sees where they are: what has the focus, or what stands around it, looks another way than without. */
const isFocusSeen = (page: Page) =>
  page.evaluate(() => {
    const focused = document.activeElement as HTMLElement
    const around: Element[] = []
    for (let at: Element | null = focused; at && around.length < 5; at = at.parentElement) around.push(at)
    const look = () => {
      const looks = around.map((element) => {
        const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor, translate } =
          getComputedStyle(element)
        return [outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor, translate]
      })
      return JSON.stringify(looks)
    }
    // What goes over from one look to the other begins with the former.
    const settled = () => {
      look()
      for (const animation of document.getAnimations()) animation.finish()
      return look()
    }
    const before = settled()
    focused.blur()
    const after = settled()
    focused.focus()
    return { name: focused.getAttribute("aria-label") ?? focused.textContent, isSeen: before !== after }
  })

test("the open room is marked, the keyboard's place is seen, and who types moves nothing", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Harbour")
  const his = await bob.joinRoom(hers.url)
  await hers.expectPresent(["Alice", "Bob"])
  await his.expectPresent(["Alice", "Bob"])
  const { page, texts } = alice
  await expect(alice.rooms.link("Harbour")).toHaveAttribute("aria-current", "page")
  await expect(alice.rooms.link(texts.rooms.lobby)).not.toHaveAttribute("aria-current", /./)

  await page.reload()
  await hers.expectConnected()
  await page.emulateMedia({ reducedMotion: "reduce" })
  const isThere = () => hers.composer.evaluate((field) => field === document.activeElement)
  // Past all rooms of the list, of which other tests have made some.
  for (let stop = 0; stop < 500 && !(await isThere()); stop += 1) {
    await page.keyboard.press("Tab")
    const { name, isSeen } = await isFocusSeen(page)
    expect(isSeen, name ?? "").toBe(true)
  }
  await expect(hers.composer).toBeFocused()

  const row = page.getByRole("status").and(page.getByTestId("typing"))
  await expect(row).toHaveText("")
  const before = await hers.log.boundingBox()
  await expect(async () => {
    await his.composer.press("!")
    await expect(row).toHaveText(/Bob/, { timeout: 1_000 })
  }).toPass()
  expect(await hers.log.boundingBox()).toEqual(before)
})
