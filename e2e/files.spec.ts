import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import AxeBuilder from "@axe-core/playwright"
import type { Page } from "@playwright/test"
import { fileUrl } from "../lib/files/rules.ts"
import { makeJpegStart, makePng } from "../lib/files/testing/pictures.ts"
import { expect, test } from "./fixtures.ts"
import { type GivenFile, RoomFiles } from "./pages/room-files.ts"
import type { Person } from "./person.ts"

const png = (name: string, width: number, height: number): GivenFile => ({
  name,
  mimeType: "image/png",
  buffer: makePng(width, height),
})
const text = (name: string, words: string, mimeType = "text/plain"): GivenFile => ({
  name,
  mimeType,
  buffer: Buffer.from(words),
})
const filesOf = ({ page, texts }: Person) => new RoomFiles(page, texts)

/** Addresses of the pictures that the page shows. */
const sourceOf = (page: Page, name: string) =>
  page.getByRole("img", { name }).evaluate((image: HTMLImageElement) => image.src)

/** All that axe says of a part of the page. */
async function findingsIn(page: Page, selector: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).include(selector).analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

/** In the page: how many files its browser keeps that the server doesn't have yet. */
async function countKeptFiles(): Promise<number> {
  const name = "throughline-files"
  // To open it would make it.
  if (!(await indexedDB.databases()).some((database) => database.name === name)) return 0
  const answerTo = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const database = await answerTo(indexedDB.open(name))
  const count = await answerTo(database.transaction("files").objectStore("files").count())
  database.close()
  return count
}

/** A connection on which an upload can be watched. */
async function slowDown(page: Page, uploadThroughput: number) {
  const session = await page.context().newCDPSession(page)
  const conditions = (rate: number) =>
    session.send("Network.emulateNetworkConditions", {
      ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: rate },
    })
  await session.send("Network.enable")
  await conditions(uploadThroughput)
  return () => conditions(-1)
}

test("pictures and files go to the room, are seen, enlarged by the keyboard and downloaded", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Photographs")
  await bob.joinRoom(hers.url)
  const [mine, his] = [filesOf(alice), filesOf(bob)]

  await mine.pick(
    ...[png("港.png", 1600, 1000), png("tower.png", 300, 900)],
    text("meeting notes.txt", "これは議事録です"),
  )
  await mine.expectReady(3)
  await hers.composer.fill("from the harbour")
  await mine.send()
  await hers.expectAllSent()
  await expect(hers.composer).toHaveValue("")

  for (const files of [mine, his]) {
    await files.expectShown("港.png")
    await files.expectShown("tower.png")
  }
  await his.enlarge("港.png").click()
  await expect(his.viewer.getByRole("heading", { name: "港.png" })).toBeVisible()
  await expect
    .poll(() => his.viewer.getByRole("img").evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBe(1600)
  await bob.page.keyboard.press("ArrowLeft")
  await expect(his.viewer.getByRole("heading", { name: "港.png" })).toBeVisible()
  await bob.page.keyboard.press("ArrowRight")
  await expect(his.viewer.getByRole("heading", { name: "tower.png" })).toBeVisible()
  await bob.page.keyboard.press("Escape")
  await expect(his.viewer).toBeHidden()
  await expect(his.enlarge("港.png")).toBeFocused()

  const downloading = bob.page.waitForEvent("download")
  await his.download("meeting notes.txt").click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe("meeting notes.txt")
  expect(await readFile(await download.path(), "utf8")).toBe("これは議事録です")
})

test("an upload shows how far it is, can be taken back, tried again, and goes on while one looks elsewhere", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Slow")
  const files = filesOf(alice)
  const restore = await slowDown(alice.page, 300_000)
  const large: GivenFile = {
    ...{ name: "large.bin", mimeType: "application/octet-stream", buffer: randomBytes(3_000_000) },
  }
  await files.pick(large)
  const progress = files.tray.getByRole("progressbar")
  await expect
    .poll(async () => {
      const percent = Number(await progress.getAttribute("aria-valuenow"))
      return percent > 0 && percent < 100
    })
    .toBe(true)
  // The message waits for its file.
  await room.composer.fill("with a file")
  await room.composer.press("Enter")
  await expect(room.composer).toHaveValue("with a file")

  await files.tray
    .getByRole("button", { name: alice.texts.files.remove.replace("{name}", "large.bin") })
    .click()
  await expect(files.attachments).toHaveCount(0)

  await files.pick(large)
  await expect(progress).toBeVisible()
  // What the server doesn't have yet the next page sends anew.
  await expect.poll(() => alice.page.evaluate(countKeptFiles)).toBe(1)
  await alice.page.reload()
  await expect(progress).toBeVisible()
  await expect(room.composer).toHaveValue("with a file")
  await alice.page.getByRole("navigation").getByRole("link", { name: alice.texts.rooms.lobby }).click()
  await expect(files.attachments).toHaveCount(0)
  await restore()
  await alice.page.goBack()
  await files.expectReady(1)

  await alice.page.route("**/api/chat/files", (route) => route.abort())
  await files.pick(text("notes.txt", "once more"))
  await expect(files.tray).toContainText(alice.texts.files.errors["not-connected"])
  await alice.page.unroute("**/api/chat/files")
  await files.tray
    .getByRole("button", { name: alice.texts.files.retryOf.replace("{name}", "notes.txt") })
    .click()
  await files.expectReady(2)
  // What is ready is on the server: a reload doesn't lose it.
  await alice.page.reload()
  await files.expectReady(2)
  await files.send()
  await expect(files.download("large.bin")).toBeVisible()
  await expect(files.download("notes.txt")).toBeVisible()
})

test("pictures are pasted, and files dropped anywhere on the page", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("By hand")
  const files = filesOf(alice)
  await files.copy(makePng(400, 300))
  await room.composer.press("ControlOrMeta+v")
  await files.expectReady(1)

  const drag = await files.drag("dropped.png", makePng(200, 200))
  await drag("dragEnter")
  await drag("dragOver")
  await expect(files.dropZone).toContainText(alice.texts.files.drop)
  await drag("drop")
  await expect(files.dropZone).toBeHidden()
  await files.expectReady(2)
  await files.send()
  await files.expectShown("dropped.png")
  await room.expectAllSent()
})

test("what can't be sent says why, in the reader's language, and leaves the rest alone", async ({
  people,
}) => {
  const aki = await people.signIn("秋", { locale: "ja-JP" })
  await aki.createRoom("断り")
  const files = filesOf(aki)
  const { errors, tooMany } = aki.texts.files
  const page = "<!doctype html><script>document.title = 'pwned'</script>"
  await files.pick(
    text("photo.png", page, "image/png"),
    { name: "setup.exe", mimeType: "application/octet-stream", buffer: Buffer.from(`MZ${"\0".repeat(300)}`) },
    text("empty.txt", ""),
    { name: "film.mov", mimeType: "video/quicktime", buffer: Buffer.alloc(25 * 1024 * 1024 + 1) },
    text("good.txt", "よし"),
  )
  await expect(files.tray).toContainText(errors["type-false"])
  await expect(files.tray).toContainText(errors["type-refused"])
  await expect(files.tray).toContainText(errors["file-empty"])
  await expect(files.tray).toContainText("25 MB")
  await expect(aki.page.locator("[data-testid=attachment][data-state=ready]")).toHaveCount(1)

  const many = Array.from({ length: 8 }, (_, index) => text(`${index}.txt`, "x"))
  await files.pick(...many)
  await expect(files.attachments).toHaveCount(10)
  await expect(aki.page.getByText(tooMany.split("}}").at(-1) ?? "")).toBeVisible()
})

test("what a page or a drawing holds doesn't run where it was sent as a file", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  await alice.createRoom("Script")
  const files = filesOf(alice)
  const script = "<script>document.title = 'pwned'</script>"
  await files.pick(
    text("page.html", `<!doctype html>${script}`, "text/html"),
    text("drawing.svg", `<svg xmlns="http://www.w3.org/2000/svg">${script}</svg>`, "image/svg+xml"),
  )
  await files.expectReady(2)
  await files.send()
  await expect(files.picture("drawing.svg")).toHaveCount(0)
  for (const name of ["page.html", "drawing.svg"]) {
    const href = (await files.download(name).getAttribute("href")) ?? ""
    const address = new URL(href.replace("?download", ""), chat.url).href
    // Opened by itself, it is saved, not shown.
    const tab = await alice.page.context().newPage()
    const downloading = tab.waitForEvent("download")
    await tab
      .goto(address)
      .catch((error: Error) => expect(error.message).toMatch(/Download is starting|ERR_ABORTED/))
    expect((await downloading).suggestedFilename()).toBe(name)
    await tab.close()
  }
})

test("a private room's files are its members' alone, and not after leaving", async ({
  people,
  browser,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const mallory = await people.signIn("Mallory")
  const hers = await alice.createRoom("Private pictures", { isPrivate: true })
  const his = await bob.joinRoom(await hers.invitationLink())
  const [mine, theirs] = [filesOf(alice), filesOf(bob)]
  await mine.pick(png("secret.png", 900, 700))
  await mine.expectReady(1)
  await mine.send()
  await theirs.expectShown("secret.png")
  const thumbnail = await sourceOf(bob.page, "secret.png")
  const whole = thumbnail.replace(/\/thumbnail$/, "")
  expect(whole).not.toBe(thumbnail)

  const statusesFor = async ({ page }: { page: Page }) =>
    Promise.all([whole, thumbnail].map(async (url) => (await page.request.get(url)).status()))
  expect(await statusesFor(bob)).toEqual([200, 200])
  expect(await statusesFor(mallory)).toEqual([404, 404])
  const stranger = await browser.newContext({ baseURL: chat.url })
  expect((await stranger.request.get(whole)).status()).toBe(401)
  await stranger.close()
  await his.leave()
  expect(await statusesFor(bob)).toEqual([404, 404])
})

test("on a phone everything of it is in reach, and axe finds nothing", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 320, height: 640 }, colorScheme: "dark" })
  const room = await alice.createRoom("Narrow")
  const files = filesOf(alice)
  await files.pick(
    ...["one.png", "two.png", "three.png"].map((name) => png(name, 900, 600)),
    text("a name that is longer than a narrow screen is wide.txt", "x"),
    text("photo.png", "<html>"),
  )
  await expect(files.tray).toContainText(alice.texts.files.errors["type-false"])
  expect(await findingsIn(alice.page, "form")).toEqual([])
  await files.tray
    .getByRole("button", { name: alice.texts.files.remove.replace("{name}", "photo.png") })
    .click()
  await files.expectReady(4)
  await files.send()
  await room.expectAllSent()
  for (const name of ["one.png", "two.png", "three.png"]) {
    await files.expectShown(name)
    const place = await files.enlarge(name).boundingBox()
    expect((place?.x ?? 0) + (place?.width ?? 999)).toBeLessThanOrEqual(320)
  }
  const row = await files.download("a name").boundingBox()
  expect((row?.x ?? 0) + (row?.width ?? 999)).toBeLessThanOrEqual(320)
  expect(await findingsIn(alice.page, "[role=log]")).toEqual([])
  await files.enlarge("two.png").click()
  await expect(files.viewer).toBeVisible()
  expect(await findingsIn(alice.page, "[role=dialog]")).toEqual([])
})

test("a picture has its place before it is here, and nothing moves when it comes", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Still")
  await bob.joinRoom(hers.url)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await bob.page.route("**/thumbnail", async (route) => {
    await held
    await route.continue()
  })
  const files = filesOf(alice)
  await files.pick(png("wide.png", 1200, 500))
  await files.expectReady(1)
  await files.send()
  await hers.send("below it")
  const his = filesOf(bob)
  const place = async () => his.enlarge("wide.png").boundingBox()
  await expect(bob.page.getByText("below it")).toBeVisible()
  const before = await place()
  expect(before?.height).toBeGreaterThan(100)
  release()
  await his.expectShown("wide.png")
  expect(await place()).toEqual(before)
})

test("a photo doesn't say where it was taken, and stays turned as it was", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Holiday")
  const files = filesOf(alice)
  // A photograph as a camera writes it: what it is, and where it was.
  const encoded = await alice.page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 200 })
    canvas.getContext("2d")?.fillRect(0, 0, 100, 100)
    return canvas.toDataURL("image/jpeg").split(",")[1] ?? ""
  })
  const start = makeJpegStart(1, 1, 6)
  const exif = start.subarray(2, 4 + start.readUInt16BE(4))
  const place = Buffer.from("35.6586N 139.7454E")
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, place.length + 2]), place])
  const buffer = Buffer.concat([
    ...[Buffer.from([0xff, 0xd8]), exif, comment],
    Buffer.from(encoded, "base64").subarray(2),
  ])
  await files.pick({ name: "photo.jpg", mimeType: "image/jpeg", buffer })
  await files.expectReady(1)
  await files.send()
  await room.expectAllSent()
  const image = alice.page.getByRole("img", { name: "photo.jpg" })
  await expect(image).toBeVisible()
  const size = () =>
    image.evaluate(({ naturalWidth, naturalHeight }: HTMLImageElement) => [naturalWidth, naturalHeight])
  await expect.poll(size).toEqual([200, 300])
  const sent = await (await alice.page.request.get(await sourceOf(alice.page, "photo.jpg"))).body()
  expect(buffer.includes(place)).toBe(true)
  expect(sent.includes(place)).toBe(false)
})

test("a message that the server refuses stays, says why, and is tried again or thrown away", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { page, texts } = alice
  const room = await alice.createRoom("Refused")
  const files = filesOf(alice)
  const announced = page.waitForResponse(
    (response) =>
      response.request().method() === "POST" && new URL(response.url()).pathname === "/api/chat/files",
  )
  await files.pick(text("notes.txt", "mine"))
  await files.expectReady(1)
  const { id } = (await (await announced).json()) as { id: string }
  // As from another tab that gives it up: it can't be sent any more.
  const status = await page.evaluate(
    (url) => fetch(url, { method: "DELETE" }).then((answer) => answer.status),
    fileUrl(id),
  )
  expect(status).toBeLessThan(300)
  await room.composer.fill("with my notes")
  await files.send()
  const message = room.message("with my notes")
  const { refused, retry } = texts.messages
  const why = `${refused} · ${texts.errors["invalid-payload"]}`
  await expect(message.element).toHaveAttribute("data-state", "refused")
  await expect(message.element).toContainText(why)
  await expect(message.element.getByRole("button", { name: retry })).toBeVisible()
  await expect(page.getByTestId("announcer")).toContainText(`${refused}: with my notes`)
  expect(await findingsIn(page, "[role=log]")).toEqual([])
  await message.retry()
  await expect(message.element).toContainText(why)
  await message.discard()
  await expect(message.element).toHaveCount(0)
  await room.send("without them")
  await room.expectWritten(["without them"])
})
