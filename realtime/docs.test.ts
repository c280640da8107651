import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { realtimeErrorCodes } from "./errors.ts"
import { ablyCapabilities } from "./providers/ably/capabilities.ts"
import { memoryCapabilities } from "./providers/memory/capabilities.ts"
import { pusherCapabilities } from "./providers/pusher/capabilities.ts"
import { socketIoCapabilities } from "./providers/socketio/capabilities.ts"
import { wireVersion } from "./wire-version.ts"

const readme = readFileSync(new URL("README.md", import.meta.url), "utf8")

/** The cells of the table between two marks, without its head. */
function tableOf(mark: string): string[][] {
  const section = readme.split(`<!-- ${mark} -->`)[1]?.split(`<!-- /${mark} -->`)[0] ?? ""
  return section
    .trim()
    .split("\n")
    .slice(2)
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

describe("the README", () => {
  it("lists every error code, and no other", () => {
    expect(tableOf("error codes").map(([code]) => code)).toEqual(
      realtimeErrorCodes.map((code) => `\`${code}\``),
    )
  })

  it("shows the capabilities as they are", () => {
    const providers = [memoryCapabilities, socketIoCapabilities, pusherCapabilities, ablyCapabilities]
    const rows = Object.keys(memoryCapabilities).map((name) => [
      name,
      ...providers.map((capabilities) => String(capabilities[name as keyof typeof capabilities])),
    ])
    expect(tableOf("capabilities")).toEqual(rows)
  })
})

describe("the contract's text", () => {
  it("names the version of the wire", () => {
    const protocol = readFileSync(new URL("PROTOCOL.md", import.meta.url), "utf8")
    expect(protocol).toContain(`is **version ${wireVersion} of the wire**`)
  })

  it("says how many channels a connection takes", () => {
    const protocol = readFileSync(new URL("PROTOCOL.md", import.meta.url), "utf8")
    const [socketIo, ably] = [socketIoCapabilities.maxChannels, ablyCapabilities.maxChannels]
    expect(protocol).toContain(
      `A connection takes ${socketIo} channels over Socket.IO and ${ably} over Ably.`,
    )
  })
})
