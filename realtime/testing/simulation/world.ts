import type { PublishReceipt } from "../../message.ts"
import type { Chance } from "../chance.ts"
import { type Browser, createBrowser } from "./browser.ts"
import type { Weather } from "./link.ts"
import { openPage, type Page, type Reading } from "./page.ts"
import { createSimulatedServer, room } from "./server.ts"
import { createSimulatedService, noFaults, type Reception, type SimulatedService } from "./service.ts"
import type { VirtualClock } from "./virtual-clock.ts"

/** One step of a program: what happens, and what to pick where there are several. */
export interface Step {
  what: StepName
  /** Which page, person, service, message … modulo how many there are. */
  which: number
  /** How much. */
  size: number
  /** How long a fault lasts. */
  forMs: number
  /** How long until the next step. */
  thenMs: number
}

export type StepName = keyof ReturnType<typeof createWorld>["steps"]

/** How often each comes, against the others. */
export const weights: Record<StepName, number> = {
  ...{ "publish from the server": 8, "publish from a page": 6, "publish again": 3, write: 6, wave: 2 },
  ...{ "bad weather": 4, "an outage": 3, "a bad reception": 3, "bad deliveries": 4, "broken connections": 3 },
  ...{
    "an expired token": 2,
    "a bad database": 2,
    "a clumsy application": 4,
    "a reload": 3,
    "a new tab": 2,
    "a tab less": 1,
  },
  ...{ "another list": 1, retention: 1, "a backup": 1, "a restored backup": 1, "a set clock": 1, nothing: 3 },
}

const people = 3
const maxPages = 5
const receptions: readonly Reception[] = ["refuses", "hangs", "takes and fails"]
const weathers: readonly Weather[] = ["cut", "deaf", "hanging", "bad gateway", "changeable"]

/** A server, three providers, a few people with their tabs, and all that can befall them. */
export function createWorld(clock: VirtualClock, chance: Chance) {
  const violations: string[] = []
  const story: string[] = []
  const server = createSimulatedServer(chance, violations)
  const core = () => server.realtime.core
  const service = (provider: string, isOwn: boolean, signalsOverConnection: boolean) =>
    createSimulatedService(
      {
        ...{ provider, signalsOverConnection },
        ...{ publishesOverConnection: isOwn, catchesUpOnSubscribe: isOwn },
      },
      { chance, core },
    )
  const services = [
    service("gateway", true, true),
    service("cloud", false, true),
    service("relay", false, false),
  ]
  const browsers = new Map<string, Browser>()
  const pages: Page[] = []
  /** By whom it was written, in that order; once it would survive the tab it must reach the log. */
  const written: { id: string; page: Page; isStored: boolean; wasRefused: boolean }[] = []
  const publishedIds: string[] = []
  const ends: { at: number; end: () => void }[] = []
  let waves = 0
  let listed: readonly SimulatedService[] = services

  const browserOf = (id: string) => {
    const browser = browsers.get(id) ?? createBrowser(chance)
    browsers.set(id, browser)
    return browser
  }

  function open(person: number, reading: Reading): Page {
    const user = { id: `person-${person}` }
    const page = openPage({
      ...{ user, reading, browser: browserOf(user.id), server, services, chance, violations },
      tell: (event) => void story.push(`${Math.round(clock.now)} ms: ${event}`),
      onStored(id) {
        const found = written.find((message) => message.id === id)
        if (found) found.isStored = true
      },
      onRefused(id) {
        const found = written.find((message) => message.id === id)
        if (found) found.wasRefused = true
      },
    })
    pages.push(page)
    return page
  }

  async function arrive(person: number): Promise<void> {
    const head = await server.peek()
    open(person, { cursor: { epoch: head.epoch, seq: head.seq } })
  }

  /** Ends by itself, or when peace comes. */
  function during(ms: number, begin: () => void, end: () => void): void {
    begin()
    ends.push({ at: clock.now + ms, end })
  }

  function endWhatIsOver(): void {
    for (const fault of ends.splice(0)) {
      if (fault.at <= clock.now) fault.end()
      else ends.push(fault)
    }
  }

  function checkReceipt(receipt: PublishReceipt): void {
    const isLogged = server.logged.some(
      ({ id, epoch, seq }) => id === receipt.id && epoch === receipt.epoch && seq === receipt.seq,
    )
    if (!isLogged) violations.push(`${receipt.id} was accepted at ${receipt.seq}, where the log hasn't it`)
  }

  function publish(by: Page | null, id: string, size: number): void {
    publishedIds.push(id)
    // Every fifth is too large for a provider.
    const text = "x".repeat(size % 5 === 0 ? 900 : 10)
    const published = by
      ? by.client.channel(room).publish("said", { text }, { id })
      : server.realtime.publish(room, "said", { text }, { id })
    published.then(checkReceipt, () => {
      // Nothing was promised.
    })
  }

  const nth = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length]
  const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`
  const freshId = () => uuid(publishedIds.length + 1)

  const steps = {
    "publish from the server": ({ size }: Step) => publish(null, freshId(), size),
    "publish from a page": ({ which, size }: Step) => publish(nth(pages, which) ?? null, freshId(), size),
    "publish again"({ which, size }: Step) {
      const id = nth(publishedIds, which + size)
      if (id) publish(null, id, size)
    },
    write({ which, size }: Step) {
      const page = nth(pages, which)
      if (!page) return
      for (let n = 0; n <= size % 4; n += 1) {
        const text = "x".repeat(size % 5 === 0 ? 900 : 10)
        const message = { id: "", page, isStored: false, wasRefused: false }
        written.push(message)
        message.id = page.feed.send("said", { text })
      }
    },
    wave({ which }: Step) {
      const page = nth(pages, which)
      if (!page) return
      waves += 1
      const times = waves * 10 + Number(page.user.id.at(-1))
      page.client
        .channel(room)
        .signal("waved", { times })
        .catch(() => {
          // At most once.
        })
    },

    "bad weather"({ which, size, forMs }: Step) {
      const link = nth(pages, which)?.link
      const weather = nth(weathers, size)
      if (!link || !weather) return
      during(
        forMs,
        () => {
          link.weather = weather
          if (weather === "cut") for (const { cut } of services) cut({ link, isNoticed: size % 2 === 0 })
        },
        () => {
          link.weather = "fine"
        },
      )
    },
    "an outage"({ which, forMs }: Step) {
      const down = nth(services, which) as SimulatedService
      during(
        forMs,
        () => {
          down.faults.isDown = true
          down.cut()
        },
        () => {
          down.faults.isDown = false
        },
      )
    },
    "a bad reception"({ which, size, forMs }: Step) {
      const { faults } = nth(services, which) as SimulatedService
      during(
        forMs,
        () => {
          faults.reception = nth(receptions, size) as Reception
        },
        () => {
          faults.reception = "takes"
        },
      )
    },
    "bad deliveries"({ which, size, forMs }: Step) {
      const { faults } = nth(services, which) as SimulatedService
      const worse = { drops: (size * 7) % 101, duplicates: (size * 3) % 60, spreadMs: (size % 4) * 400 }
      during(
        forMs,
        () => Object.assign(faults, worse),
        () => Object.assign(faults, { drops: 0, duplicates: 0, spreadMs: 0 }),
      )
    },
    "broken connections": ({ which, size }: Step) =>
      (nth(services, which) as SimulatedService).cut({ isNoticed: size % 2 === 0 }),
    "an expired token"({ which }: Step) {
      const page = nth(pages, which)
      if (page) void server.realtime.revoke(page.user, room)
    },
    "a bad database"({ size, forMs }: Step) {
      during(
        forMs,
        () => {
          server.database = size % 2 === 0 ? "down" : "mute"
        },
        () => {
          server.database = "up"
        },
      )
    },
    "a clumsy application"({ size, forMs }: Step) {
      during(
        forMs,
        () => {
          server.accidents = (size * 7) % 101
        },
        () => {
          server.accidents = 0
        },
      )
    },

    "a reload"({ which, size }: Step) {
      const [page] = pages.length > 0 ? pages.splice(which % pages.length, 1) : []
      if (!page) return
      const { reading } = page
      page.end(size % 2 === 0 ? "closed" : "crashed")
      open(Number(page.user.id.at(-1)), reading)
    },
    "a new tab": async ({ which }: Step) => {
      if (pages.length < maxPages) await arrive(which % people)
    },
    "a tab less"({ which, size }: Step) {
      // What is written needs somebody of that person to send it in the end.
      const page = nth(pages, which)
      if (!page || pages.filter(({ user }) => user.id === page.user.id).length < 2) return
      pages.splice(pages.indexOf(page), 1)
      page.end(size % 2 === 0 ? "closed" : "crashed")
    },

    "another list"({ size }: Step) {
      const first = nth(services, size) as SimulatedService
      const others = services.filter((other) => other !== first)
      listed = [first, ...others].slice(0, 1 + (size % 3))
      server.deploy(listed)
    },
    retention: ({ size }: Step) => server.trim(size % 20),
    "a backup": () => server.backUp(),
    "a restored backup": () => server.restore(),
    "a set clock": ({ size }: Step) => clock.jump((size - 50) * 60_000),
    nothing() {},
  } satisfies Record<string, (step: Step) => unknown>

  return {
    steps,
    violations,
    story,
    server,
    pages,
    written,
    get listed() {
      return listed
    },

    async begin(): Promise<void> {
      server.deploy(services)
      for (let person = 0; person < people; person += 1) await arrive(person)
    },

    async take(step: Step): Promise<void> {
      story.push(`${Math.round(clock.now)} ms: ${step.what}`)
      await (steps[step.what] as (step: Step) => unknown)(step)
      const end = clock.now + step.thenMs
      for (;;) {
        const next = Math.min(end, ...ends.map(({ at }) => at))
        await clock.advance(next - clock.now)
        endWhatIsOver()
        if (clock.now >= end) return
      }
    },

    makePeace(): void {
      for (const { end } of ends.splice(0)) end()
      for (const { faults } of services) Object.assign(faults, noFaults)
    },

    /** Lets time pass until it is so; false when it isn't after `limitMs`. */
    async until(condition: () => boolean, limitMs: number): Promise<boolean> {
      const end = clock.now + limitMs
      while (!condition() && clock.now < end) await clock.advance(1_000)
      return condition()
    },
  }
}
