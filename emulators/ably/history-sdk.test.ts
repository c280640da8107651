import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { errorOf, FORMATS, openRealtime, openRest } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

const dataOf = ({ items }: { items: { data?: unknown }[] }) => items.map((item) => item.data)

describe.each(FORMATS)("history ($format)", ({ useBinaryProtocol }) => {
  test("§2.2g newest first, or forwards", async () => {
    await using emulator = await startAblyEmulator()
    const channel = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    for (const data of ["1", "2", "3"]) await channel.publish("m", data)
    expect(dataOf(await channel.history())).toEqual(["3", "2", "1"])
    expect(dataOf(await channel.history({ direction: "forwards" }))).toEqual(["1", "2", "3"])
  })

  test("§2.1a §2.1b §2h pages follow their Link and aren't shifted by what is published meanwhile", async () => {
    await using emulator = await startAblyEmulator()
    const channel = openRest(emulator, { useBinaryProtocol }).channels.get("room: odd/name?")
    for (const data of ["1", "2", "3", "4", "5"]) await channel.publish("m", data)
    const first = await channel.history({ limit: 2 })
    expect(dataOf(first)).toEqual(["5", "4"])
    await channel.publish("m", "6")
    const second = await first.next()
    expect(second && dataOf(second)).toEqual(["3", "2"])
    const third = await second?.next()
    expect(third && dataOf(third)).toEqual(["1"])
    expect(third?.isLast()).toBe(true)
    const again = await third?.first()
    expect(again && dataOf(again)).toEqual(["6", "5"])
    const current = await second?.current()
    expect(current && dataOf(current)).toEqual(["3", "2"])
  })

  test("§8a untilAttach ends at the attach point", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    await rest.publish("m", "before")
    const channel = client.channels.get("room")
    await channel.attach()
    await rest.publish("m", "after")
    expect(dataOf(await channel.history({ untilAttach: true }))).toEqual(["before"])
    expect(dataOf(await channel.history())).toEqual(["after", "before"])
  })

  test.each([{ limit: 1001 }, { limit: 0 }, { direction: "sideways" as "forwards" }, { start: 2, end: 1 }])(
    "§2.2i %j is 400",
    async (params) => {
      await using emulator = await startAblyEmulator()
      const channel = openRest(emulator, { useBinaryProtocol }).channels.get("room")
      expect(await errorOf(channel.history(params))).toMatchObject({ code: 40003, statusCode: 400 })
    },
  )

  test("§3.6d history needs its capability", async () => {
    const keys = [{ capability: { "*": ["publish"] } }]
    await using emulator = await startAblyEmulator({ apps: [{ keys }] })
    const channel = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    expect(await errorOf(channel.history())).toMatchObject({ code: 40160, statusCode: 401 })
  })
})

test.each(["from_serial", "fromSerial"])("§8b %s ends at that position, included", async (name) => {
  await using emulator = await startAblyEmulator()
  const rest = openRest(emulator)
  const { serials } = await rest.channels.get("room").publish("m", "1")
  await rest.channels.get("room").publish("m", "2")
  const position = serials[0]?.replace(/:[^:]*$/, "") ?? ""
  const { items } = await rest.request("get", "/channels/room/messages", 6, { [name]: position })
  expect(items.map(({ data }) => data)).toEqual(["1"])
})

describe("history, on a clock of its own", () => {
  test("§8c messages are gone after two minutes, but not in persisted namespaces", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({
      clock,
      apps: [
        {
          namespaces: [
            { id: "persisted", persisted: true },
            { id: "last", persistLast: true },
          ],
        },
      ],
    })
    const { channels } = openRest(emulator)
    for (const name of ["room", "persisted:room", "last:room"]) {
      await channels.get(name).publish("m", "1")
      await channels.get(name).publish("m", "2")
    }
    clock.advance(120_001)
    expect(dataOf(await channels.get("room").history())).toEqual([])
    expect(dataOf(await channels.get("persisted:room").history())).toEqual(["2", "1"])
    expect(dataOf(await channels.get("last:room").history())).toEqual(["2"])
  })

  test("§2.2h start and end bound by time, both included", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    const channel = openRest(emulator).channels.get("room")
    const times: number[] = []
    for (const data of ["1", "2", "3"]) {
      clock.advance(10)
      times.push(clock.now())
      await channel.publish("m", data)
    }
    const [first = 0, second = 0, third = 0] = times
    expect(dataOf(await channel.history({ start: first, end: second }))).toEqual(["2", "1"])
    expect(dataOf(await channel.history({ start: second, end: third }))).toEqual(["3", "2"])
  })
})
