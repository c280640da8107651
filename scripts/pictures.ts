import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type Browser, chromium, type Page } from "@playwright/test"
import sharp from "sharp"
import { startChat } from "../e2e/chat-servers.ts"
import { MessageOnPage } from "../e2e/pages/room-page.ts"
import { type Person, type PersonOptions, signIn } from "../e2e/person.ts"
import { buildOnce } from "./build-once.ts"
import { projectDir } from "./run.ts"
import { findChromium, installLine, tools } from "./tools.ts"

/**
 * `npm run pictures`: the README's pictures, taken of the real app: the chat on a desktop and a phone, light and dark, in
 * both languages, and the laboratory while a provider fails, as a moving picture.
 */

const folder = join(projectDir, "docs", "pictures")
const desktop = { width: 1180, height: 760 }
const phone = { width: 390, height: 760 }

interface Talk {
  locale: string
  room: string
  people: [string, string, string]
  lines: [who: 0 | 1 | 2, text: string][]
}

const talks: Record<"en" | "ja", Talk> = {
  en: {
    locale: "en-US",
    room: "Launch",
    people: ["Aki", "Ben", "Chie"],
    lines: [
      [1, "Morning! The build is green on **all three** providers 🎉"],
      [1, "One commit, one log, no changed line. `REALTIME_PROVIDER=ably,pusher`"],
      [2, "I pulled the plug on Pusher in the middle of the demo. Nobody noticed."],
      [0, "Not one message lost?"],
      [2, "Not one. See https://example.com/lab, the gap opens and closes by itself."],
      [0, "Then let's ship it. I'll write the notes tonight."],
    ],
  },
  ja: {
    locale: "ja-JP",
    room: "リリース準備",
    people: ["秋", "勉", "千絵"],
    lines: [
      [1, "おはようございます。**3つのプロバイダー**すべてでテストが通りました 🎉"],
      [1, "コードは1行も変えていません。`REALTIME_PROVIDER=ably,pusher` だけです。"],
      [2, "デモの最中にPusherを止めてみましたが、誰も気づきませんでした。"],
      [0, "メッセージは1通も失われなかった？"],
      [2, "1通も。https://example.com/lab で、抜けが自然に埋まるのが見えます。"],
      [0, "では出しましょう。お知らせは今夜書きます。"],
    ],
  },
}

/** Three people talk; resolves with the first one's, whose page is shown. */
async function hold(browser: Browser, url: string, talk: Talk, options: PersonOptions): Promise<Person> {
  const contexts = await Promise.all(
    talk.people.map((_, index) =>
      browser.newContext({
        baseURL: url,
        locale: talk.locale,
        deviceScaleFactor: 2,
        ...(index === 0 && options),
      }),
    ),
  )
  const people = await Promise.all(
    contexts.map((context, index) => signIn(context, talk.people[index] ?? "", talk.locale)),
  )
  const [first, ...others] = people as [Person, ...Person[]]
  const room = await first.createRoom(talk.room)
  const rooms = [room]
  for (const other of others) rooms.push(await other.joinRoom(room.url))
  const said: string[] = []
  for (const [who, text] of talk.lines) {
    await rooms[who]?.send(text)
    said.push(text)
    for (const each of rooms)
      await each.log
        .getByTestId("message")
        .nth(said.length - 1)
        .waitFor()
  }
  await rooms[0]?.expectAllSent()
  const messages = rooms.map((each) => each.log.getByTestId("message"))
  await react(others[0] as Person, messages[1]?.nth(2), "😂")
  await react(first, messages[0]?.nth(0), "🎉")
  await react(others[1] as Person, messages[2]?.nth(0), "🎉")
  const inList = first.rooms.link(talk.room)
  if (await inList.isVisible()) await inList.getByText(String(people.length), { exact: true }).waitFor()
  // As whoever reads along sees it: the end, with nothing pointed at.
  await first.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await room.log.evaluate((element) => element.scrollTo(0, element.scrollHeight))
  await first.page.getByRole("button", { name: latestOf(first) }).waitFor({ state: "hidden" })
  await rooms[1]?.composer.pressSequentially("…", { delay: 50 })
  await room.typing(talk.people[1]).waitFor()
  return first
}

/** What the button says that leads to the end. */
const latestOf = ({ texts }: Person) => /=0 \{(.+?)\}/.exec(texts.messages.latest)?.[1] ?? ""

async function react(
  person: Person,
  message: ReturnType<Page["locator"]> | undefined,
  emoji: string,
): Promise<void> {
  if (!message) throw new TypeError("unable to react; there is no such message")
  const onPage = new MessageOnPage(person.page, message, person.texts)
  await onPage.react(emoji)
  await onPage.reaction(emoji).waitFor()
  await person.page.mouse.move(0, 0)
}

/** As small as a picture of an interface can be without loss. */
async function save(name: string, png: Buffer): Promise<void> {
  await sharp(png)
    .png({ palette: true, quality: 90, effort: 10 })
    .toFile(join(folder, `${name}.png`))
  console.log(`docs/pictures/${name}.png`)
}

/** The laboratory, while the provider in use fails and comes back, a frame each quarter of a second. */
async function film(browser: Browser): Promise<void> {
  await using chat = await startChat("failover")
  const context = await browser.newContext({
    ...{ baseURL: chat.url, locale: "en-US", viewport: { width: 960, height: 620 }, colorScheme: "dark" },
  })
  const { page, texts } = await signIn(context, "Aki")
  await page.goto("/lab")
  const side = page.getByTestId("side-left")
  await side.locator("[data-state=connected]").waitFor()
  await page.waitForTimeout(5_000)
  const frames: Buffer[] = []
  const shoot = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      frames.push(await page.screenshot())
      await page.waitForTimeout(150)
    }
  }
  await shoot(6)
  await side.getByRole("button", { name: texts.lab.fail }).click()
  await shoot(26)
  await side.getByRole("button", { name: texts.lab.drop }).click()
  await shoot(14)
  await context.close()
  const resized = await Promise.all(frames.map((frame) => sharp(frame).resize(800).png().toBuffer()))
  await sharp(resized, { join: { animated: true } })
    .gif({ delay: resized.map(() => 250), effort: 10, colours: 64, interFrameMaxError: 6 })
    .toFile(join(folder, "failover.gif"))
  console.log("docs/pictures/failover.gif")
}

const executablePath = findChromium()
if (!executablePath) throw new Error(`unable to find Chromium; ${installLine(tools.chromium)}`)
mkdirSync(folder, { recursive: true })
await buildOnce()
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] })
try {
  await using chat = await startChat("one-port")
  for (const [name, talk, options] of [
    ["desktop-light-en", talks.en, { viewport: desktop, colorScheme: "light" }],
    ["desktop-dark-ja", talks.ja, { viewport: desktop, colorScheme: "dark" }],
    ["phone-light-ja", talks.ja, { viewport: phone, colorScheme: "light" }],
    ["phone-dark-en", talks.en, { viewport: phone, colorScheme: "dark" }],
  ] as const) {
    const { page } = await hold(browser, chat.url, talk, options)
    await save(name, await page.screenshot())
    for (const context of browser.contexts()) await context.close()
  }
  await film(browser)
} finally {
  await browser.close()
}
