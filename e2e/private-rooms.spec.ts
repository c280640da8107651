import { expect, test } from "./fixtures.ts"

test("a private room opens to whoever has its invitation, and to nobody else", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const mallory = await people.signIn("Mallory")
  const hers = await alice.createRoom("Secret garden", { isPrivate: true })
  await hers.send("just between us")
  const invitation = await hers.invitationLink()

  const answer = await mallory.page.goto(hers.url)
  expect(answer?.status()).toBe(404)
  await expect(mallory.page.getByRole("heading", { name: mallory.texts.missing.title })).toBeVisible()
  await expect(mallory.page.getByText("just between us")).toHaveCount(0)
  await mallory.page.goto("/")
  await expect(mallory.page.getByText("Secret garden")).toHaveCount(0)

  // Who follows it sees where it leads and who sent it, before they join.
  await bob.page.goto(invitation)
  const { titleTo, by } = bob.texts.invitation
  await expect(
    bob.page.getByRole("heading", { name: titleTo.replace("{room}", "Secret garden") }),
  ).toBeVisible()
  await expect(bob.page.getByText(by.replace("{name}", "Alice"))).toBeVisible()
  const his = await bob.joinRoom(invitation)
  await his.expectWritten(["just between us"])
  await his.send("and me")
  await hers.expectWritten(["just between us", "and me"])
})

test("who leaves a room hears no more of it, in no tab, and can't come back by themselves", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Boardroom", { isPrivate: true })
  const his = await bob.joinRoom(await hers.invitationLink())
  const tab = await bob.openTab()
  const other = await tab.openRoom(hers.url)
  await hers.send("before")
  await other.expectWritten(["before"])

  await his.leave()
  await expect(tab.page.getByRole("heading", { name: bob.texts.missing.title })).toBeVisible()
  await hers.send("after")
  await hers.expectWritten(["before", "after"])
  await expect(tab.page.getByText("after")).toHaveCount(0)
})

test("an invitation that was made up opens nothing", async ({ people }) => {
  const mallory = await people.signIn("Mallory")
  await mallory.page.goto("/invitations/eyJhbGciOiJub25lIn0.e30.")
  await expect(mallory.page.getByRole("heading", { name: mallory.texts.missing.invitation })).toBeVisible()
  await expect(mallory.page.getByRole("button", { name: mallory.texts.invitation.accept })).toHaveCount(0)
})

test("its owner gives it another name, which all see at once, and puts somebody out, who sees no more of it", async ({
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
  await expect(hers.log).toContainText(messages.removed.replace("{name}", "Alice").replace("{person}", "Bob"))
  await expect(bob.page.getByRole("heading", { name: bob.texts.missing.title })).toBeVisible()
  await expect(bob.page.getByRole("navigation").getByRole("link", { name: "Plan" })).toHaveCount(0)
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
