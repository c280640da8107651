import type { Page } from "@playwright/test"
import { expect, test } from "./fixtures.ts"
import { WelcomePage } from "./pages/welcome-page.ts"
import { Person } from "./person.ts"
import { textsOf } from "./texts.ts"

/** Of this tab alone: the other tabs of the browser have theirs. */
async function cutNetwork(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page)
  const set = async (offline: boolean): Promise<void> => {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
    await session.send("Network.emulateNetworkConditions", conditions)
  }
  await set(true)
  return () => set(false)
}

/** In one more tab of the same browser, where the last session has ended. */
async function signInBeside(person: Person, name: string): Promise<Person> {
  await person.page.context().clearCookies()
  const { page } = await person.openTab()
  await page.goto("/")
  await new WelcomePage(page, person.texts).enter(name)
  return new Person(page, name, person.texts)
}

const endOf = ({ page, name, texts }: Person) =>
  page.getByRole("heading", { name: texts.sessionEnd.title.replace("{name}", name) })

test("what somebody wrote goes out in their name or waits, whoever signs in beside them", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const carol = await people.newcomer("Carol")
  const hers = await alice.createRoom("Shared desk")
  const carols = await carol.joinRoom(hers.url)
  const browser = alice.page.context()
  const cookies = await browser.cookies()
  // A tab that nobody tells anything: no other tab, and no comparison with the server.
  const deaf = await alice.openTab()
  await deaf.page.addInitScript("delete globalThis.BroadcastChannel")
  await deaf.openRoom(hers.url)
  await deaf.page.route("**/api/realtime/**", (route) => route.abort())

  const restoreNetwork = await cutNetwork(alice.page)
  await hers.send("mine")
  await expect(hers.notSent).toHaveCount(1)
  const bob = await signInBeside(alice, "Bob")
  const his = await bob.joinRoom(hers.url)
  await deaf.rooms.submit("Bob's, unasked")
  await expect(deaf.page.getByText(alice.texts.errors["session-changed"])).toBeVisible()

  await restoreNetwork()
  await expect(endOf(alice)).toBeVisible()
  await expect(alice.page.getByRole("heading", { name: "Shared desk" })).toHaveCount(0)
  await his.send("Bob's")
  for (const room of [his, carols]) await room.expectWritten(["Bob's"])
  await expect(bob.rooms.link("Bob's, unasked")).toHaveCount(0)

  await browser.clearCookies()
  await browser.addCookies(cookies)
  await alice.page.getByRole("button", { name: alice.texts.sessionEnd.reload }).click()
  await carols.expectWritten(["Bob's", "mine"])
  await expect(carols.message("mine").element).toContainText("Alice")
  await hers.expectWritten(["Bob's", "mine"])
})

test("signing out ends all tabs, and leaves the next person nothing of the last", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const { page, texts } = alice
  const lobby = await alice.openRoom(page.url())
  const other = await alice.openTab()
  const there = await other.openRoom(lobby.url)
  await lobby.composer.fill("a secret")
  const { settings, welcome } = texts
  await other.page.getByRole("button", { name: settings.menu.replace("{name}", "Alice") }).click()
  await other.page.getByRole("menuitem", { name: settings.signOut }).click()
  await other.page.getByRole("alertdialog").getByRole("button", { name: settings.signOut }).click()
  await expect(other.page.getByRole("textbox", { name: welcome.name })).toBeVisible()
  await expect(endOf(alice)).toBeVisible()
  await expect(lobby.composer).toHaveCount(0)

  // The page is open still, and its cookies are gone: it lets in all the same.
  await other.page.context().clearCookies()
  await new WelcomePage(other.page, texts).enter("Bob")
  await there.expectConnected()
  await expect(there.composer).toHaveValue("")
  await page.getByRole("button", { name: texts.sessionEnd.reload }).click()
  await lobby.expectConnected()
  await expect(lobby.composer).toHaveValue("")
  await lobby.composer.fill("Bob's")
  await page.reload()
  await expect(lobby.composer).toHaveValue("Bob's")
})

test("over http at another address than localhost somebody is told why they can't come in", async ({
  page,
  chat,
}) => {
  await page.goto(`http://chat.test:${new URL(chat.url).port}`)
  const { welcome } = textsOf()
  await page.getByRole("textbox", { name: welcome.name }).fill("Alice")
  await page.getByRole("button", { name: welcome.enter }).click()
  await expect(page.getByText(welcome.cookieLost)).toBeVisible()
  await expect(page.getByRole("textbox", { name: welcome.name })).toHaveValue("Alice")
})
