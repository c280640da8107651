import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { expect, test } from "./fixtures.ts"

test("a private room's owner gives it another name, which all see at once, and puts somebody out, who sees no more of it", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Draft", { isPrivate: true })
  const link = await hers.invitationLink()
  const his = await bob.joinRoom(link)
  await hers.expectPresent(["Alice", "Bob"])
  const { rooms, messages } = alice.texts
  const choose = async (item: string) => {
    await alice.page.getByRole("button", { name: rooms.menu }).click()
    await alice.page.getByRole("menuitem", { name: item, exact: true }).click()
  }

  await choose(rooms.rename)
  const naming = alice.page.getByRole("dialog", { name: rooms.renameTitle })
  await naming.getByRole("textbox", { name: rooms.name }).fill("Plan")
  await naming.getByRole("button", { name: rooms.renameSubmit, exact: true }).click()
  for (const { page } of [alice, bob]) {
    await expect(page.getByRole("heading", { name: "Plan", level: 1 })).toBeVisible()
    await expect(page.getByRole("navigation").getByRole("link", { name: "Plan" })).toBeVisible()
  }
  const renamed = messages.renamed.replace("{name}", "Alice").replace("{room}", "Plan")
  await expect(his.log).toContainText(renamed)

  // What he was writing is his, though the room isn't any more.
  await his.composer.fill("half a\nsentence")
  await choose(rooms.remove)
  const dialog = alice.page.getByRole("dialog", { name: rooms.removeTitle })
  await dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }).click()
  const asked = alice.page.getByRole("alertdialog")
  const confirm = asked.getByRole("button", { name: rooms.removeConfirm, exact: true })
  // Red: it can't be taken back.
  await expect(confirm).toHaveCSS("background-color", "rgb(179, 38, 30)")
  await confirm.click()
  await expect(asked).toBeHidden()
  await expect(dialog.getByText(rooms.removeNobody)).toBeVisible()
  await dialog.getByRole("button", { name: rooms.done }).click()
  await expect(hers.log).toContainText(messages.putOut.replace("{name}", "Bob"))
  await expect(bob.page.getByRole("heading", { name: bob.texts.missing.title })).toBeVisible()
  await expect(bob.page.getByRole("navigation").getByRole("link", { name: "Plan" })).toHaveCount(0)
  const draft = bob.page.getByRole("textbox", { name: rooms.keptDraftLabel })
  await expect(draft).toHaveValue("half a\nsentence")
  await bob.page.reload()
  await expect(draft).toHaveValue("half a\nsentence")
  await bob.page.evaluate(() => {
    navigator.clipboard.writeText = async (text) => void Object.assign(window, { copied: text })
  })
  await bob.page.getByRole("button", { name: messages.copy }).click()
  await expect(bob.page.getByRole("status").getByText(messages.copied)).toBeVisible()
  expect(await bob.page.evaluate(() => (window as unknown as { copied: string }).copied)).toBe(
    "half a\nsentence",
  )
  // Nor does the link bring him back by which he came.
  await bob.page.goto(link)
  await expect(bob.page.getByRole("heading", { name: bob.texts.missing.invitation })).toBeVisible()
  await hers.send("among ourselves")
  await hers.expectWritten(["among ourselves"])

  // By a new one he is back, and may be put out again.
  await bob.joinRoom(await hers.invitationLink())
  await choose(rooms.remove)
  await dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }).click()
  await confirm.click()
  await expect(dialog.getByText(rooms.removeNobody)).toBeVisible()
  await expect(bob.page.getByRole("heading", { name: bob.texts.missing.title })).toBeVisible()
})

test("a public room's owner puts somebody out, who sees why and keeps their draft, and lets them in again", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Market")
  const link = await hers.invitationLink()
  const his = await bob.joinRoom(hers.url)
  await hers.expectPresent(["Alice", "Bob"])
  await his.send("spam")
  await hers.expectWritten(["spam"])
  await his.composer.fill("more of it")
  const { rooms, messages } = alice.texts
  const dialog = alice.page.getByRole("dialog", { name: rooms.removeTitle })
  const openDialog = async () => {
    await alice.page.getByRole("button", { name: rooms.menu }).click()
    await alice.page.getByRole("menuitem", { name: rooms.remove, exact: true }).click()
    await expect(dialog).toBeVisible()
  }
  await openDialog()
  await dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }).click()
  const asked = alice.page.getByRole("alertdialog")
  await expect(asked).toContainText(rooms.removeAskLeadPublic)
  await asked.getByRole("button", { name: rooms.removeConfirm, exact: true }).click()
  await expect(dialog.getByRole("list", { name: rooms.keptOut })).toContainText("Bob")
  await expect(dialog.getByText(rooms.removeNobody)).toBeVisible()
  await dialog.getByRole("button", { name: rooms.done }).click()

  const told = bob.page.getByRole("heading", { name: rooms.keptOutTitle.replace("{room}", "Market") })
  await expect(told).toBeVisible()
  await expect(bob.page.getByRole("button", { name: rooms.join })).toHaveCount(0)
  await expect(bob.rooms.link("Market")).toHaveCount(0)
  await hers.expectPresent(["Alice"])
  await expect(hers.log).toContainText(messages.putOut.replace("{name}", "Bob"))
  const tab = await bob.openTab()
  for (const address of [hers.url, link]) {
    await tab.page.goto(address)
    await expect(
      tab.page.getByRole("heading", { name: rooms.keptOutTitle.replace("{room}", "Market") }),
    ).toBeVisible()
  }
  const channel = `room:${new URL(hers.url).pathname.split("/").at(-1)}`
  const answer = await bob.page.request.get(`/api/realtime/history?channel=${channel}`)
  expect(answer.status()).toBe(403)
  await tab.page.close()

  // His page learns of it by itself.
  await openDialog()
  await dialog.getByRole("button", { name: rooms.letInPerson.replace("{name}", "Bob") }).click()
  await expect(dialog.getByRole("list", { name: rooms.keptOut })).toHaveCount(0)
  await his.join()
  await expect(his.composer).toHaveValue("more of it")
  // He is one of those in it again, in the dialog that was open all the time, too.
  await expect(
    dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }),
  ).toBeVisible()
  await dialog.getByRole("button", { name: rooms.done }).click()
  await hers.expectPresent(["Alice", "Bob"])
  await his.send("sorry")
  await hers.expectWritten(["spam", "sorry"])
})

test("what somebody wrote and nobody got stays theirs when they are put out: unsent, half changed, half written", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob", { viewport: { width: 320, height: 640 } })
  const hers = await alice.createRoom("Quay")
  const his = await bob.joinRoom(hers.url)
  await hers.expectPresent(["Alice", "Bob"])
  await his.send("said")
  await hers.expectWritten(["said"])
  const { rooms, messages } = alice.texts
  const network = bob.page.context()
  await network.setOffline(true)
  await his.send("without a network")
  await expect(his.notSent).toHaveCount(1)
  await his.composer.fill("half a sentence")
  const menu = await his.message("said").openMenu()
  await menu.getByRole("menuitem", { name: messages.edit, exact: true }).click()
  await his.message("said").editField.fill("said otherwise")

  await alice.page.getByRole("button", { name: rooms.menu }).click()
  await alice.page.getByRole("menuitem", { name: rooms.remove, exact: true }).click()
  const dialog = alice.page.getByRole("dialog", { name: rooms.removeTitle })
  await dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }).click()
  const asked = alice.page.getByRole("alertdialog")
  await asked.getByRole("button", { name: rooms.removeConfirm, exact: true }).click()
  await expect(dialog.getByRole("list", { name: rooms.keptOut })).toContainText("Bob")
  await network.setOffline(false)

  const { page } = bob
  await expect(page.getByText(rooms.keptOutLead)).toBeVisible()
  const kept = [
    [rooms.keptUnsentLabel, "without a network"],
    [rooms.keptEditLabel, "said otherwise"],
    [rooms.keptDraftLabel, "half a sentence"],
  ] as const
  const expectKept = async (count: number) => {
    await expect(page.getByRole("main").getByRole("textbox")).toHaveCount(count)
    for (const [label, text] of kept.slice(-count))
      await expect(page.getByRole("textbox", { name: label })).toHaveValue(text)
  }
  await expectKept(3)
  await page.reload()
  await expectKept(3)
  await expectAccessible(page)
  await expectNothingSticksOut(page)
  await page
    .getByRole("group", { name: rooms.keptUnsentLabel })
    .getByRole("button", { name: messages.discard })
    .click()
  await expectKept(2)
  await page.reload()
  await expectKept(2)

  // Back in, he goes on where he was.
  await dialog.getByRole("button", { name: rooms.letInPerson.replace("{name}", "Bob") }).click()
  await his.join()
  await expect(his.composer).toHaveValue("half a sentence")
  await expect(his.message("said").editField).toHaveValue("said otherwise")
  await his.message("said").editField.press("Enter")
  await hers.expectWritten(["said otherwise"])
})

test("a public room's owner who leaves is told who stays kept out, and may let them in before", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Ferry")
  const { page } = alice
  const { rooms } = alice.texts
  const choose = async (item: string) => {
    await page.getByRole("button", { name: rooms.menu }).click()
    await page.getByRole("menuitem", { name: item, exact: true }).click()
  }
  const asked = page.getByRole("alertdialog")
  const letIn = asked.getByRole("checkbox", { name: rooms.leaveLetIn })
  // Of nobody there is nothing to say.
  await choose(rooms.leave)
  await expect(asked).toContainText(rooms.leavePublic)
  await expect(letIn).toHaveCount(0)
  await asked.getByRole("button", { name: rooms.cancel }).click()

  await bob.joinRoom(hers.url)
  await hers.expectPresent(["Alice", "Bob"])
  await choose(rooms.remove)
  const dialog = page.getByRole("dialog", { name: rooms.removeTitle })
  await dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }).click()
  await asked.getByRole("button", { name: rooms.removeConfirm, exact: true }).click()
  await expect(dialog.getByRole("list", { name: rooms.keptOut })).toContainText("Bob")
  await dialog.getByRole("button", { name: rooms.done }).click()
  const told = bob.page.getByRole("heading", { name: rooms.keptOutTitle.replace("{room}", "Ferry") })
  await expect(told).toBeVisible()

  await choose(rooms.leave)
  await expect(asked).toContainText("The person whom you removed stays out of the room until you come back")
  await letIn.check()
  await asked.getByRole("button", { name: rooms.leave }).click()
  await expect(page).not.toHaveURL(hers.url)
  // His page learns of it by itself.
  await expect(bob.page.getByRole("button", { name: rooms.join })).toBeVisible()
})

test("one changes one's own messages only; the room's owner may delete others'", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("House rules")
  const his = await bob.joinRoom(hers.url)
  await hers.send("by Alice")
  await hers.expectWritten(["by Alice"])
  await his.send("by Bob")
  await his.expectWritten(["by Alice", "by Bob"])
  const { edit, delete: remove } = alice.texts.messages

  const ofOthers = await his.message("by Alice").openMenu()
  await expect(ofOthers.getByRole("menuitem", { name: edit, exact: true })).toHaveCount(0)
  await expect(ofOthers.getByRole("menuitem", { name: remove, exact: true })).toHaveCount(0)
  await bob.page.keyboard.press("Escape")

  await hers.message("by Bob").delete()
  await his.expectWritten(["by Alice"])
})

test("a room's owner ends it, by the keyboard: everybody who has it open is told so, and nobody finds it any more", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob", { locale: "ja-JP" })
  const hers = await alice.createRoom("Harbour", { isPrivate: true })
  const { url } = hers
  const link = await hers.invitationLink()
  const his = await bob.joinRoom(link)
  await hers.expectPresent(["Alice", "Bob"])
  const elsewhere = await bob.openTab()
  await elsewhere.page.goto("/")
  await expect(elsewhere.rooms.link("Harbour")).toBeVisible()
  await hers.send("soon gone")
  await his.expectWritten(["soon gone"])
  // It isn't his to end.
  await bob.page.getByRole("button", { name: bob.texts.rooms.menu }).click()
  await expect(bob.page.getByRole("menuitem", { name: bob.texts.rooms.leave })).toBeVisible()
  await expect(bob.page.getByRole("menuitem", { name: bob.texts.rooms.delete })).toHaveCount(0)
  await bob.page.keyboard.press("Escape")

  const { page, texts } = alice
  const { keyboard } = page
  const menu = page.getByRole("button", { name: texts.rooms.menu })
  const asked = page.getByRole("alertdialog", { name: texts.rooms.deleteTitle.replace("{room}", "Harbour") })
  const ask = async () => {
    await menu.focus()
    await keyboard.press("Enter")
    await expect(page.getByRole("menuitem").first()).toBeFocused()
    await keyboard.press("End")
    await expect(page.getByRole("menuitem", { name: texts.rooms.delete })).toBeFocused()
    await keyboard.press("Enter")
    await expect(asked).toBeVisible()
  }
  await ask()
  await keyboard.press("Escape")
  await expect(asked).toBeHidden()
  await expect(menu).toBeFocused()
  await ask()
  const stay = asked.getByRole("button", { name: texts.rooms.cancel })
  await expect(stay).toBeFocused()
  await keyboard.press("Tab")
  const told = bob.texts.rooms.deleted.replace("{room}", "Harbour")
  // It is said for a few seconds, so that nothing else is waited for first.
  await Promise.all([
    keyboard.press("Enter"),
    ...[bob, elsewhere].map((tab) => expect(tab.page.getByRole("status").getByText(told)).toBeVisible()),
  ])
  await expect(page.getByRole("heading", { name: texts.rooms.lobby, level: 1 })).toBeVisible()
  await expect(bob.page.getByRole("heading", { name: bob.texts.missing.title })).toBeVisible()
  for (const tab of [alice, bob, elsewhere]) await expect(tab.rooms.link("Harbour")).toHaveCount(0)

  for (const tab of [alice, bob]) {
    await tab.page.goto(url)
    await expect(tab.page.getByRole("heading", { name: tab.texts.missing.title })).toBeVisible()
  }
  await bob.page.goto(link)
  await expect(bob.page.getByRole("heading", { name: bob.texts.missing.invitation })).toBeVisible()
  const channel = `room:${new URL(url).pathname.split("/").at(-1)}`
  const answer = await bob.page.request.get(`/api/realtime/history?channel=${channel}`)
  expect(answer.status()).toBe(403)
})
