import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { test as base, expect } from "@playwright/test"
import type * as AblyModule from "ably"
import * as AblyServerLibrary from "ably"
import PusherServerLibrary from "pusher"
import type PusherJs from "pusher-js"
import type { PresenceChannel } from "pusher-js"
import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"
import { projectDir } from "../scripts/run.ts"

/** The vendors' own builds for browsers, as a `<script>` loads them. */
declare const Pusher: typeof PusherJs
declare const Ably: typeof AblyModule

const packages = join(projectDir, "node_modules")
const builds: Record<string, string> = {
  "/pusher.js": join(packages, "pusher-js/dist/web/pusher-with-encryption.min.js"),
  "/ably.js": join(packages, "ably/build/ably.min.js"),
}

/** A page of another origin than the emulators'. */
const test = base.extend<{ site: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
  site: async ({}, use) => {
    const server = createServer(async ({ url = "/" }, response) => {
      const build = builds[url]
      response.setHeader("content-type", build ? "text/javascript" : "text/html")
      response.end(
        build
          ? await readFile(build)
          : `<!doctype html><title>SDKs</title><script src="/pusher.js"></script><script src="/ably.js"></script>`,
      )
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    await use(`http://localhost:${(server.address() as AddressInfo).port}`)
    server.closeAllConnections()
    server.close()
  },
})

test("pusher-js: every kind of channel, client events, presence and a cut", async ({ page, site }) => {
  await using emulator = await startPusherEmulator()
  const key = Buffer.alloc(32, 1).toString("base64")
  const library = new PusherServerLibrary({ ...emulator.serverOptions(), encryptionMasterKeyBase64: key })
  await page.exposeFunction("authorize", (socketId: string, channel: string, id: string) =>
    library.authorizeChannel(
      socketId,
      channel,
      channel.startsWith("presence-") ? { user_id: id } : undefined,
    ),
  )
  await page.exposeFunction("signIn", (socketId: string) => library.authenticateUser(socketId, { id: "ann" }))
  await page.goto(site)
  const result = page.evaluate(
    async ({ appKey, options }) => {
      const { authorize, signIn } = globalThis as unknown as {
        authorize(socketId: string, channel: string, id: string): Promise<never>
        signIn(socketId: string): Promise<never>
      }
      const open = (id: string) =>
        new Pusher(appKey, {
          ...options,
          channelAuthorization: {
            transport: "ajax",
            endpoint: "",
            customHandler: ({ socketId, channelName }, callback) =>
              void authorize(socketId, channelName, id).then((answer) => callback(null, answer)),
          },
          userAuthentication: {
            transport: "ajax",
            endpoint: "",
            customHandler: ({ socketId }, callback) =>
              void signIn(socketId).then((answer) => callback(null, answer)),
          },
        })
      const ann = open("ann")
      const bob = open("bob")
      const joined = (pusher: PusherJs, name: string) =>
        new Promise<PresenceChannel>((resolve) => {
          const channel = pusher.subscribe(name) as PresenceChannel
          channel.bind("pusher:subscription_succeeded", () => resolve(channel))
        })
      const names = ["public", "private-room", "private-encrypted-room", "cache-room", "presence-room"]
      const received: string[] = []
      for (const name of names) {
        const channel = await joined(ann, name)
        channel.bind("greeting", (data: string) => received.push(`${name} ${data}`))
      }
      const his = await joined(bob, "presence-room")
      const typing = new Promise((resolve) =>
        ann
          .channel("presence-room")
          .bind("client-typing", (_: unknown, { user_id }: { user_id: string }) => resolve(user_id)),
      )
      his.trigger("client-typing", {})
      const firstSocket = ann.connection.socket_id
      ann.signin()
      const user = await new Promise((resolve) => ann.user.bind("hello", resolve))
      Object.assign(globalThis, { isReady: true })
      await new Promise<void>((resolve) => {
        const look = setInterval(() => {
          const isBack =
            ann.connection.socket_id !== firstSocket && names.every((name) => ann.channel(name)?.subscribed)
          if (!isBack || received.length < 5 || his.members.count < 2) return
          clearInterval(look)
          resolve()
        }, 10)
      })
      // A cache channel says its last event again to who comes back.
      return {
        received: [...new Set(received)].sort(),
        typing: await typing,
        members: his.members.count,
        user,
      }
    },
    { appKey: emulator.app().key, options: emulator.clientOptions() },
  )
  await expect
    .poll(async () => {
      await library.sendToUser("ann", "hello", "to you")
      return page.evaluate(() => "isReady" in globalThis)
    })
    .toBe(true)
  const names = ["public", "private-room", "private-encrypted-room", "cache-room", "presence-room"]
  for (const name of names) await library.trigger(name, "greeting", "hello")
  emulator.dropConnections()
  expect(await result).toEqual({
    received: names.map((name) => `${name} hello`).sort(),
    typing: "bob",
    members: 2,
    user: "to you",
  })
})

for (const useBinaryProtocol of [false, true]) {
  test(`ably: realtime and REST by ${useBinaryProtocol ? "MessagePack" : "JSON"}`, async ({ page, site }) => {
    await using emulator = await startAblyEmulator()
    const frames: (string | Buffer)[] = []
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(payload)))
    await page.goto(site)
    const opened = await page.evaluateHandle(
      async ({ options, key }) => {
        const rest = new Ably.Rest({ ...options, key })
        const realtime = new Ably.Realtime({
          ...options,
          transports: ["web_socket"],
          clientId: "ann",
          authCallback: (params, done) =>
            void rest.auth
              .createTokenRequest({ ...params, clientId: "ann" })
              .then((request) => done(null, request)),
        })
        const channel = realtime.channels.get("room")
        const received: unknown[] = []
        await channel.subscribe((message) => void received.push(message.data))
        await channel.publish("m", { n: 1, text: "こんにちは" })
        await channel.presence.enter({ mood: "happy" })
        const binary = new Uint8Array([0, 1, 255])
        await rest.channels.get("room").publish("bytes", binary)
        return { rest, realtime, channel, received, id: realtime.connection.id }
      },
      { options: { ...emulator.clientOptions, useBinaryProtocol }, key: emulator.key },
    )
    const receivedSoFar = () => opened.evaluate(({ received }) => received.length)
    await expect.poll(receivedSoFar).toBe(2)

    emulator.faults.add({ fault: "cut", match: { direction: "outbound", action: "MESSAGE" }, times: 1 })
    await opened.evaluate(({ rest }) => rest.channels.get("room").publish("m", "missed by the socket"))
    await expect.poll(receivedSoFar).toBe(3)
    const result = await opened.evaluate(async ({ realtime, rest, channel, received, id }) => ({
      received: received.map((data) => (data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data)),
      isResumed: realtime.connection.id === id,
      members: (await channel.presence.get()).map(({ clientId, data }) => [clientId, data]),
      history: (await rest.channels.get("room").history({ direction: "forwards" })).items.length,
      isDetached: await channel.detach().then(() => channel.state === "detached"),
    }))
    expect(result).toEqual({
      received: [{ n: 1, text: "こんにちは" }, [0, 1, 255], "missed by the socket"],
      isResumed: true,
      members: [["ann", { mood: "happy" }]],
      history: 3,
      isDetached: true,
    })
    expect(frames.length).toBeGreaterThan(0)
    expect(frames.every((frame) => typeof frame !== "string")).toBe(useBinaryProtocol)
    expect(frames.every((frame) => typeof frame === "string")).toBe(!useBinaryProtocol)
  })
}

for (const transports of [undefined, ["xhr_polling"]] as AblyModule.Transport[][]) {
  test(`ably: ${transports ?? "the transports that a browser has unless told"}`, async ({ page, site }) => {
    await using emulator = await startAblyEmulator()
    let polls = 0
    page.on("request", (request) => {
      if (request.url().includes("/comet/")) polls += 1
    })
    await page.goto(site)
    const opened = await page.evaluateHandle(
      async ({ options, key, transports }) => {
        const realtime = new Ably.Realtime({ ...options, key, ...(transports && { transports }) })
        const channel = realtime.channels.get("room")
        const received: unknown[] = []
        await channel.subscribe((message) => void received.push(message.data))
        for (const data of ["1", "2"]) await channel.publish("m", data)
        return { realtime, received, id: realtime.connection.id }
      },
      { options: emulator.clientOptions, key: emulator.key, transports },
    )
    const received = () => opened.evaluate(({ received }) => received)
    await expect.poll(received).toEqual(["1", "2"])
    emulator.dropConnections()
    const { key, clientOptions } = emulator
    await new AblyServerLibrary.Rest({ key, ...clientOptions }).channels.get("room").publish("m", "3")
    await expect.poll(received).toEqual(["1", "2", "3"])
    expect(await opened.evaluate(({ realtime, id }) => realtime.connection.id === id)).toBe(true)
    await opened.evaluate(({ realtime }) => realtime.close())
    expect(polls > 0).toBe(transports !== undefined)
  })
}
