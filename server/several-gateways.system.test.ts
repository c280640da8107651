import { Client } from "pg"
import { waitFor } from "throughline/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { waitLimit } from "../realtime/testing/wait-for.ts"
import {
  type GatewayProcess,
  type Installation,
  lookForPrograms,
  startInstallation,
} from "./testing/installation.ts"
import { makeNextRelease } from "./testing/next-release.ts"

// Programs that start on a busy machine take their time.
waitLimit.ms = 60_000

const { isLacking, unless } = lookForPrograms()

describe.skipIf(isLacking)(
  `several gateways behind nginx lose nothing${unless}`,
  { timeout: 120_000 },
  () => {
    let site: Installation
    let first: GatewayProcess
    let second: GatewayProcess

    beforeAll(async () => {
      site = await startInstallation({
        ...{ program: "gateway.ts", processes: 3, people: 6, pauseMs: 20, isHurried: true },
      })
      ;[first, second] = site.gateways as [GatewayProcess, GatewayProcess]
      await site.everybodyIsSeen()
    }, 120_000)
    afterAll(() => site?.[Symbol.asyncDispose]())

    const nothingIsLost = async () => expect((await site.ledger()).problems).toEqual([])

    it("when one of them is killed", async () => {
      await site.underLoad(async () => {
        first.program.child.kill("SIGKILL")
        await first.program.exited
      })
      await nothingIsLost()
      await first.start()
      await site.everybodyIsSeen()
    })

    it("when Redis is killed and started again", async () => {
      await site.underLoad(async () => {
        await site.redis.kill()
        await site.underLoad(async () => {})
        await site.redis.start()
      })
      await nothingIsLost()
    })

    it("when PostgreSQL is stopped and started again", async () => {
      await site.underLoad(async () => {
        await site.postgres.stop()
        await site.postgres.start()
      })
      await nothingIsLost()
    })

    it("when PostgreSQL is killed in the middle of its commits", async () => {
      await site.underLoad(async () => {
        await site.postgres.kill()
        await site.postgres.start()
      })
      await nothingIsLost()
    })

    it("when one of them is cut off from Redis", async () => {
      await site.underLoad(async () => {
        const end = await second.cutFromRedis()
        await site.underLoad(async () => {})
        end()
      })
      await nothingIsLost()
      await site.everybodyIsSeen()
    })

    it("when one of them stands still for a while", async () => {
      await site.underLoad(async () => {
        second.program.child.kill("SIGSTOP")
        await site.underLoad(async () => {})
        second.program.child.kill("SIGCONT")
      })
      await nothingIsLost()
    })

    it("when all are restarted in order, one after another", async () => {
      await site.underLoad(async () => {
        for (const gateway of site.gateways) {
          gateway.program.child.kill("SIGTERM")
          expect(await gateway.program.exited).toBe(0)
          await gateway.start()
        }
      })
      await nothingIsLost()
      await site.everybodyIsSeen()
    })

    it("when one of them starts while Redis is down", async () => {
      await site.underLoad(async () => {
        await site.redis.kill()
        first.program.child.kill("SIGTERM")
        expect(await first.program.exited).toBe(0)
        await first.start()
        await site.underLoad(async () => {})
        await site.redis.start()
      })
      await nothingIsLost()
      await site.everybodyIsSeen()
    })

    it("when PostgreSQL is read-only for a while", async () => {
      const client = new Client({ connectionString: site.postgres.connectionString })
      await client.connect()
      const set = async (value: "on" | "off") => {
        await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
        await client.query("SELECT pg_reload_conf()")
      }
      await client.query("SET default_transaction_read_only = off")
      await site.underLoad(async () => {
        await set("on")
        await waitFor(
          () => site.refusals.some((error) => /PostgreSQL is read-only/.test(String(error))),
          "publishes to be refused",
        )
        await set("off")
      })
      await client.end()
      await nothingIsLost()
    })

    it("when PostgreSQL has no connection for them for a while", async () => {
      const pages = async (path: string) => {
        const answers = site.gateways.map(({ port }) => fetch(`http://127.0.0.1:${port}${path}`))
        return (await Promise.all(answers)).map(({ status }) => status)
      }
      await site.underLoad(async () => {
        const allow = await site.database.refuseConnections()
        await waitFor(
          () => site.refusals.some((error) => /PostgreSQL has too many connections/.test(String(error))),
          "publishes to be refused",
        )
        // They live, and ask to be left alone.
        expect(await pages("/api/health")).toEqual([200, 200, 200])
        expect(await pages("/api/ready")).toEqual([503, 503, 503])
        await allow()
      })
      await nothingIsLost()
      expect(await pages("/api/ready")).toEqual([200, 200, 200])
    })

    it("when the next release replaces this one, both at work meanwhile", async () => {
      using next = makeNextRelease()
      const replace = async (gateway: GatewayProcess, folder?: string) => {
        gateway.program.child.kill("SIGTERM")
        expect(await gateway.program.exited).toBe(0)
        await gateway.start(folder)
      }
      await site.underLoad(async () => {
        await replace(first, next.folder)
        await site.underLoad(async () => {})
        // This release's processes find tables that went further when they connect anew.
        await site.postgres.stop()
        await site.postgres.start()
        await site.underLoad(async () => {})
        await replace(second, next.folder)
      })
      await nothingIsLost()
      await site.everybodyIsSeen()
    })

    it("and a revocation reaches a person at whichever gateway they are", async () => {
      for (const { user } of site.pages.slice(0, 3)) {
        await site.apps[0]?.rooms.leave(user.id, "lobby")
        await site.apps[0]?.realtime.revoke(user, site.lobby)
      }
      await waitFor(
        () => site.pages.slice(0, 3).every(({ channel }) => channel.status.state === "denied"),
        "the revocations",
      )
    })
  },
)
