import type { Page } from "@playwright/test"
import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { expect, test } from "./fixtures.ts"
import type { Person } from "./person.ts"
import { publish } from "./publish.ts"
import type { Texts } from "./texts.ts"

/** The search of the open room. */
class SearchOnPage {
  readonly #page: Page
  readonly #texts: Texts

  constructor({ page, texts }: Person) {
    this.#page = page
    this.#texts = texts
  }

  get dialog() {
    return this.#page.getByRole("dialog")
  }

  get field() {
    return this.dialog.getByRole("combobox")
  }

  get results() {
    return this.dialog.getByRole("option")
  }

  get chosen() {
    return this.dialog.getByRole("option", { selected: true })
  }

  async open(): Promise<void> {
    await this.#page.getByRole("button", { name: this.#texts.search.open }).click()
    await expect(this.field).toBeFocused()
  }
}

test("finds what was said, in Japanese and English, as it stands now, newest first, and goes there", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Harbour")
  const his = await bob.joinRoom(hers.url)
  const said = ["The ferry leaves at eight", "明日は港で会いましょう", "The fery is late"]
  await hers.send(...said)
  await hers.expectWritten(said)
  await his.send("Which ferry do you mean?")
  await hers.expectWritten([...said, "Which ferry do you mean?"])
  const search = new SearchOnPage(alice)
  await search.open()

  await search.field.fill("FERRY")
  await expect(search.results).toHaveCount(2)
  await expect(search.results.first()).toContainText("Which ferry do you mean?")
  await expect(search.results.first()).toContainText("Bob")
  await expect(search.results.first().locator("mark")).toHaveText("ferry")
  await expect(search.dialog.getByRole("status")).toHaveText("2 messages found")

  await search.field.fill("港で")
  await expect(search.results).toHaveCount(1)
  await expect(search.results.locator("mark")).toHaveText("港で")

  await search.field.fill("nowhere to be found")
  await expect(
    search.dialog.getByText(alice.texts.search.none.replace("{query}", "nowhere to be found")),
  ).toBeVisible()

  // An edit is found by its new words, and not by its old ones.
  await alice.page.keyboard.press("Escape")
  await hers.message("The fery is late").edit("The ship is late")
  await his.expectWritten([
    ...["The ferry leaves at eight", "明日は港で会いましょう", "The ship is late"],
    "Which ferry do you mean?",
  ])
  await search.open()
  await search.field.fill("fery")
  await expect(search.results).toHaveCount(0)
  await search.field.fill("ship")
  await expect(search.results).toHaveCount(1)
  await search.results.click()
  await expect(search.dialog).toBeHidden()
  await expect(hers.message("The ship is late").element).toBeInViewport()
})

test("the whole of it by the keyboard: open, choose, older ones, and a message far back in the history", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Archive")
  await publish(alice, room, ["The needle in the haystack"])
  await publish(
    alice,
    room,
    Array.from({ length: 80 }, (_, index) => `hay number ${index}`),
  )
  await alice.page.reload()
  await room.expectConnected()
  await expect(room.log.getByText("The needle in the haystack")).toHaveCount(0)
  const search = new SearchOnPage(alice)
  const { keyboard } = alice.page

  // A slash that is typed is a slash.
  await room.composer.press("/")
  await expect(search.dialog).toBeHidden()
  await expect(room.composer).toHaveValue("/")
  await room.composer.fill("")
  await room.log.focus()
  await keyboard.press("/")
  await expect(search.field).toBeFocused()
  await expect(search.field).toHaveValue("")
  await keyboard.press("Escape")
  await expect(search.dialog).toBeHidden()
  await room.composer.press("ControlOrMeta+k")
  await expect(search.field).toBeFocused()

  await keyboard.type("number")
  await expect(search.results).toHaveCount(31)
  await expect(search.chosen).toContainText("hay number 79")
  await keyboard.press("ArrowDown")
  await expect(search.chosen).toContainText("hay number 78")
  await keyboard.press("ArrowUp")
  await keyboard.press("ArrowUp")
  await expect(search.chosen).toHaveText(alice.texts.search.more)
  await keyboard.press("Enter")
  await expect(search.results).toHaveCount(61)
  // The first of the older ones is where the button for them was.
  await expect(search.chosen).toContainText("hay number 49")
  await expect(search.chosen).toBeInViewport()

  await search.field.fill("needle")
  await expect(search.results).toHaveCount(1)
  await keyboard.press("Enter")
  await expect(search.dialog).toBeHidden()
  await expect(room.message("The needle in the haystack").element).toBeInViewport()
})

test("a search that fails says so, and can be tried again", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Fog")
  await room.send("a lighthouse")
  await room.expectWritten(["a lighthouse"])
  const search = new SearchOnPage(alice)
  await alice.page.route("**/api/chat/search?*", (route) => route.abort())
  await search.open()
  await search.field.fill("light")
  const { search: texts, errors } = alice.texts
  await expect(search.dialog.getByText(texts.failed)).toBeVisible()
  await expect(search.dialog.getByText(errors["not-connected"])).toBeVisible()
  await alice.page.unroute("**/api/chat/search?*")
  await search.dialog.getByRole("button", { name: texts.retry }).click()
  await expect(search.results).toHaveCount(1)
})

for (const [locale, colorScheme] of [
  ["en-US", "light"],
  ["en-US", "dark"],
  ["ja-JP", "light"],
  ["ja-JP", "dark"],
] as const) {
  test(`axe finds nothing in the search, and at 320 px nothing sticks out: ${locale}, ${colorScheme}`, async ({
    people,
  }) => {
    const alice = await people.signIn("愛子", { locale, colorScheme, viewport: { width: 320, height: 568 } })
    const room = await alice.createRoom("検索")
    const long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk".repeat(4)
    await publish(alice, room, [...Array.from({ length: 40 }, (_, index) => `港 ${index}`), `港 ${long}`])
    const search = new SearchOnPage(alice)
    await search.open()
    await expectAccessible(alice.page)
    await search.field.fill("港")
    await expect(search.results).toHaveCount(31)
    await expectAccessible(alice.page)
    await expectNothingSticksOut(alice.page)
    await search.field.fill("灯台")
    await expect(search.results).toHaveCount(0)
    await expectAccessible(alice.page)
  })
}
