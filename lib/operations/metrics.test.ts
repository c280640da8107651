import { readFileSync } from "node:fs"
import { RealtimeError } from "throughline"
import { createMemoryLog, type RealtimePublisher } from "throughline/server"
import { describe, expect, it } from "vitest"
import { createMetrics } from "./metrics.ts"

const entry = (id: string, channel = "room:1") => ({ id, channel, event: "said", payload: {}, from: null })

const gateway = {
  ...{ connections: 3, subscriptions: 4, channels: 2, deliveries: 5, slow: 1, waitingBytes: 6 },
  ...{ peers: 2, isInDoubt: true },
}

describe("the metrics", () => {
  it("count what the log took, how long it took, who catches up and who is told of a gap", async () => {
    const measured = createMetrics()
    const log = measured.ofLog(createMemoryLog())
    await log.append([entry("a"), entry("b")])
    await log.append([entry("a")])
    await log.readAfter("room:1", 0, 10)
    await log.trim({ maxMessagesPerChannel: 1 })
    await log.readAfter("room:1", 0, 10)
    await log.close()
    await expect(log.heads(["room:1"])).rejects.toThrow()
    const text = await measured.render()
    expect(text).toContain('throughline_messages_total{result="accepted"} 2')
    expect(text).toContain('throughline_messages_total{result="duplicate"} 1')
    expect(text).toContain('throughline_log_seconds_count{operation="append"} 2')
    expect(text).toContain("throughline_backfills_total 2")
    expect(text).toContain("throughline_gaps_total 1")
    expect(text).toMatch(/throughline_log_failures_total\{operation="heads",code="[a-z-]+"\} 1/)
  })

  it("count each provider's deliveries by their outcome, and pages in failover", async () => {
    const measured = createMetrics()
    const publisher = (provider: string, publish: () => Promise<void>) =>
      ({ provider, publish, signal: publish, credentials: async () => ({}) }) as unknown as RealtimePublisher
    const [good, bad] = measured.ofPublishers([
      publisher("good", async () => {}),
      publisher("bad", () => Promise.reject(new RealtimeError("provider-unavailable", { message: "down" }))),
    ])
    await good?.publish([])
    await expect(bad?.publish([])).rejects.toThrow("down")
    await expect(bad?.signal({} as never)).rejects.toThrow("down")
    await bad?.credentials({} as never)
    const text = await measured.render()
    expect(text).toContain('throughline_delivery_seconds_count{provider="good",result="delivered"} 1')
    expect(text).toContain(
      'throughline_delivery_seconds_count{provider="bad",result="provider-unavailable"} 1',
    )
    expect(text).toContain('throughline_signals_total{provider="bad",result="provider-unavailable"} 1')
    expect(text).toContain('throughline_credentials_total{provider="bad",is_preferred="false"} 1')
  })

  it("count refusals by code, and show the gateway as it is when they are read", async () => {
    const measured = createMetrics()
    measured.watchGateway({ stats: () => gateway, lag: async () => 7 })
    expect(await measured.ofRefusals(async () => false)({})).toBe(false)
    await expect(
      measured.ofRefusals(() => Promise.reject(new RealtimeError("rate-limited", { message: "enough" })))({}),
    ).rejects.toThrow("enough")
    const text = await measured.render()
    expect(text).toContain('throughline_refusals_total{code="channel-denied"} 1')
    expect(text).toContain('throughline_refusals_total{code="rate-limited"} 1')
    expect(text).toContain("throughline_gateway_connections 3")
    expect(text).toContain("throughline_gateway_in_doubt 1")
    expect(text).toContain("throughline_gateway_lag_messages 7")
  })

  it("can be read while the log doesn't answer", async () => {
    const measured = createMetrics()
    measured.watchGateway({ stats: () => gateway, lag: () => Promise.reject(new Error("away")) })
    const text = await measured.render()
    expect(text).toContain("throughline_gateway_lag_messages Nan")
    expect(text).toContain("throughline_gateway_connections 3")
  })

  it("are all that the dashboard asks for", async () => {
    const measured = createMetrics()
    measured.watchGateway({ stats: () => gateway, lag: async () => 7 })
    const names = new Set([...(await measured.render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
    const dashboard = readFileSync(new URL("../../deploy/grafana/throughline.json", import.meta.url), "utf8")
    const asked = [...dashboard.matchAll(/throughline_[a-z0-9_]+(?=[\s[{)(])/g)].map(([name]) => name)
    expect(asked.length).toBeGreaterThan(15)
    for (const name of asked) expect(names).toContain(name.replace(/_(bucket|count|sum)$/, ""))
  })
})
