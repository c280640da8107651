import { describe, expect, it } from "vitest"
import type { FaultStage } from "./fault-stage.ts"
import { waitFor } from "./wait-for.ts"

/**
 * What befalls a provider's REST API. `cut`: the request never gets there;
 * `lost`: only its answer never comes.
 */
export type RestFault = "unavailable" | "cut" | "rate-limited" | "too-large" | "hang" | "lost" | "malformed"

export interface FaultyProvider extends FaultStage {
  /** Acts on publishing, `times` times or until it is removed. */
  breakRest(fault: RestFault, times?: number): { hits(): number; remove(): void }
  /** Cuts every connection; clients may come back at once. */
  dropConnections(): void
  /** Ends every connection with a code after which the SDK doesn't come back. */
  failConnections(): void
}

export interface ProviderFaults {
  name: string
  /** How long a request and all attempts at a delivery may take; without it, as long as in production. */
  start(limits?: { timeoutMs?: number; deliveryTimeoutMs?: number }): Promise<FaultyProvider>
}

/** Where the provider stays broken: short, but long enough for a second attempt on a busy machine. */
const shortLimits = { timeoutMs: 200, deliveryTimeoutMs: 2_000 }

const html = (status: number) =>
  new Response("<!doctype html><title>Sign in</title>", { status, headers: { "Content-Type": "text/html" } })
const failure = () =>
  Response.json({ error: { code: "internal", message: "the server failed" } }, { status: 500 })
const refusal = () =>
  Response.json({ error: { code: "channel-denied", message: "unable to subscribe" } }, { status: 403 })

/** What goes wrong around a provider and has to end well, whichever provider it is. */
export function describeProviderFaults({ name, start }: ProviderFaults): void {
  const publish = (stage: FaultStage, room: ReturnType<FaultStage["room"]>, text: string) =>
    stage.realtime.publish(room, "said", { text })

  describe(`${name}'s REST API`, () => {
    it.each<RestFault>(["unavailable", "cut", "rate-limited", "lost"])(
      "once %s is asked again: the message arrives, once, and nobody is troubled",
      async (fault) => {
        await using stage = await start()
        const room = stage.room()
        const { texts, subscription } = stage.openPage().join(room)
        await subscription.ready
        stage.breakRest(fault, 1)
        await publish(stage, room, "a")
        await publish(stage, room, "b")
        await waitFor(() => texts.includes("b"))
        expect(texts).toEqual(["a", "b"])
        expect(stage.told).toEqual([])
      },
    )

    it.each([
      ["unavailable", "provider-unavailable"],
      ["cut", "provider-unavailable"],
      ["rate-limited", "rate-limited"],
      ["hang", "timeout"],
    ] as const)(
      "for long %s is told as %s, and what was accepted comes with the next",
      async (fault, code) => {
        await using stage = await start(shortLimits)
        const room = stage.room()
        const { texts, subscription } = stage.openPage().join(room)
        await subscription.ready
        const broken = stage.breakRest(fault)
        expect((await publish(stage, room, "accepted")).seq).toBe(1)
        expect(stage.told).toMatchObject([{ stage: `publish to ${name}`, error: { code, provider: name } }])
        expect(broken.hits()).toBeGreaterThan(1)
        broken.remove()
        await publish(stage, room, "next")
        await waitFor(() => texts.length === 2)
        expect(texts).toEqual(["accepted", "next"])
        expect(stage.told.length).toBe(1)
      },
    )

    it("that finds a message too large isn't asked again, and the message comes with the next", async () => {
      await using stage = await start()
      const room = stage.room()
      const { texts, subscription } = stage.openPage().join(room)
      await subscription.ready
      const broken = stage.breakRest("too-large")
      await publish(stage, room, "large")
      expect(stage.told).toMatchObject([{ error: { code: "message-too-large", retryable: false } }])
      expect(broken.hits()).toBe(1)
      broken.remove()
      await publish(stage, room, "next")
      await waitFor(() => texts.length === 2)
      expect(texts).toEqual(["large", "next"])
    })

    it("that answers what isn't JSON loses nothing", async () => {
      await using stage = await start()
      const room = stage.room()
      const { texts, subscription } = stage.openPage().join(room)
      await subscription.ready
      stage.breakRest("malformed", 1)
      await publish(stage, room, "a")
      await publish(stage, room, "b")
      await waitFor(() => texts.includes("b"))
      expect(texts).toEqual(["a", "b"])
    })

    it("that didn't deliver a message leaves it to the next connection", async () => {
      await using stage = await start()
      const room = stage.room()
      const { texts, subscription } = stage.openPage().join(room)
      await subscription.ready
      stage.breakRest("too-large")
      await publish(stage, room, "unsent")
      expect(texts).toEqual([])
      stage.dropConnections()
      await waitFor(() => texts.length === 1)
    })
  })

  describe(`${name} with an auth endpoint`, () => {
    it.each([
      ["that fails once, by its own account", failure],
      ["that answers 500 with a page, once", () => html(500)],
      ["that answers a page instead of JSON, once", () => html(200)],
      ["whose firewall refuses once", () => html(403)],
      ["that isn't there for a moment", () => html(404)],
      ["that is down once", () => new Response(null, { status: 503 })],
      [
        "whose proxy is busy once",
        () => new Response("slow down", { status: 429, headers: { "Retry-After": "0" } }),
      ],
    ])("%s is asked again, and nothing is lost", async (_, answer) => {
      await using stage = await start()
      const room = stage.room()
      let failures = 0
      stage.intercept(() => (failures++ === 0 ? answer() : undefined))
      const page = stage.openPage()
      const channel = page.client.channel(room)
      const seen: string[] = []
      channel.subscribe(
        { onMessages: (messages) => void seen.push(...messages.map(({ seq }) => String(seq))) },
        { since: { epoch: (await stage.realtime.head(room)).epoch, seq: 0 } },
      )
      await publish(stage, room, "while it failed")
      await waitFor(() => channel.status.state === "attached", "the attachment")
      await publish(stage, room, "afterwards")
      await waitFor(() => seen.length === 2)
      expect(seen).toEqual(["1", "2"])
      expect(page.client.connection.status.state).toBe("connected")
      expect(page.errors[0]).toMatchObject({ retryable: true })
      expect(page.errors[0]?.message).toMatch(/unable to reach .*credentials/)
    })

    it("that refuses a channel for good is asked once; the others go on", async () => {
      await using stage = await start()
      const [open, closed] = [stage.room(), stage.room()]
      const page = stage.openPage()
      const { texts, subscription, wasDetached } = page.join(open)
      await subscription.ready
      const before = stage.requests.length
      stage.intercept((body) => (JSON.stringify(body).includes(closed.name) ? refusal() : undefined))
      const denied = page.join(closed)
      await expect(denied.subscription.ready).rejects.toMatchObject({
        code: "channel-denied",
        retryable: false,
      })
      expect(page.client.channel(closed).status).toMatchObject({
        state: "denied",
        error: { code: "channel-denied" },
      })
      await publish(stage, open, "a")
      await waitFor(() => texts.length === 1)
      expect(stage.requests.length).toBe(before + 1)
      expect(page.client.connection.status.state).toBe("connected")
      expect(wasDetached()).toBe(false)
    })
  })

  it(`a connection that ${name} ended for good comes back when it is asked to, with its channels`, async () => {
    await using stage = await start()
    const room = stage.room()
    const page = stage.openPage()
    const { texts, subscription } = page.join(room)
    await subscription.ready
    stage.failConnections()
    const { connection } = page.client
    await waitFor(() => connection.status.state === "failed")
    expect(connection.status.error).toMatchObject({ code: "invalid-config", retryable: false })
    await publish(stage, room, "meanwhile")
    connection.retry()
    await waitFor(() => texts.length === 1)
    await publish(stage, room, "afterwards")
    await waitFor(() => texts.length === 2)
    expect(texts).toEqual(["meanwhile", "afterwards"])
    expect(connection.status).toEqual({ state: "connected" })
  })
}
