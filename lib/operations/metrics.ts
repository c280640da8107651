import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"
import { isRealtimeError } from "throughline"
import type { MessageLog, RealtimePublisher } from "throughline/server"
import type { AttachedGateway, GatewayStats } from "throughline/socketio/gateway"

/** What an operator watches, in Prometheus' form (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export interface Metrics {
  readonly contentType: string
  render(): Promise<string>
  /** The same log, counted and timed. */
  ofLog(log: MessageLog): MessageLog
  /** The same providers, counted and timed; the first is the preferred one. */
  ofPublishers(publishers: readonly RealtimePublisher[]): RealtimePublisher[]
  /** The same request or limit, with its refusals counted by their code. */
  ofRefusals<Request, Answer>(
    ask: (request: Request) => Promise<Answer>,
  ): (request: Request) => Promise<Answer>
  /** A gateway of this process, looked at whenever somebody reads the metrics. */
  watchGateway(gateway: Pick<AttachedGateway, "stats" | "lag">): void
}

/** From a memory's microseconds to a database that is drowning. */
const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Next.js and the gateway are two bundles; in one process they are one thing to watch. */
const key = Symbol.for("throughline.metrics")
const shared = globalThis as typeof globalThis & { [key]?: Metrics }

export function getMetrics(): Metrics {
  shared[key] ??= createMetrics()
  return shared[key]
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: "throughline_" })

  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `throughline_${name}`, help, labelNames, registers })
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]) =>
    new Histogram({ name: `throughline_${name}`, help, labelNames, buckets, registers })

  const accepted = counter("messages_total", "Messages that the log was given.", "result")
  const groups = histogram(
    "commit_messages",
    "Messages committed together.",
    [1, 2, 5, 10, 25, 50, 100, 250, 500],
  )
  const logged = histogram("log_seconds", "Time of a call to the log.", seconds, "operation")
  const logFailures = counter("log_failures_total", "Calls to the log that failed.", "operation", "code")
  const backfills = counter("backfills_total", "Reads of the log after a place: somebody catches up.")
  const gaps = counter(
    "gaps_total",
    "Such reads that found their place removed by retention: the page is told of a gap.",
  )
  const delivered = histogram(
    "delivery_seconds",
    "Time of one attempt at a provider.",
    seconds,
    "provider",
    "result",
  )
  const signals = counter("signals_total", "Signals handed to a provider.", "provider", "result")
  const credentials = counter(
    "credentials_total",
    "Permissions to connect or join; those of a provider that isn't the preferred one are of pages in failover.",
    ...["provider", "is_preferred"],
  )
  const refusals = counter("refusals_total", "Requests that were refused.", "code")

  const codeOf = (error: unknown) => (isRealtimeError(error) ? error.code : "internal")

  async function timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const end = logged.startTimer({ operation })
    try {
      return await work()
    } catch (error) {
      logFailures.inc({ operation, code: codeOf(error) })
      throw error
    } finally {
      end()
    }
  }

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),

    ofLog: (log) => ({
      ...log,
      async append(entries) {
        const results = await timed("append", () => log.append(entries))
        const duplicates = results.filter(({ isDuplicate }) => isDuplicate).length
        accepted.inc({ result: "accepted" }, results.length - duplicates)
        accepted.inc({ result: "duplicate" }, duplicates)
        groups.observe(entries.length)
        return results
      },
      async readAfter(channel, seq, limit) {
        const page = await timed("read", () => log.readAfter(channel, seq, limit))
        backfills.inc()
        if (page.head.first > seq + 1) gaps.inc()
        return page
      },
      readBefore: (channel, seq, limit) => timed("read", () => log.readBefore(channel, seq, limit)),
      heads: (channels) => timed("heads", () => log.heads(channels)),
    }),

    ofPublishers: (publishers) =>
      publishers.map((publisher, index) => {
        const { provider } = publisher
        return {
          ...publisher,
          async publish(messages) {
            const end = delivered.startTimer({ provider })
            await publisher.publish(messages).then(
              () => void end({ result: "delivered" }),
              (error: unknown) => {
                end({ result: codeOf(error) })
                throw error
              },
            )
          },
          async signal(signal) {
            await publisher.signal(signal).then(
              () => signals.inc({ provider, result: "delivered" }),
              (error: unknown) => {
                signals.inc({ provider, result: codeOf(error) })
                throw error
              },
            )
          },
          credentials(request) {
            credentials.inc({ provider, is_preferred: String(index === 0) })
            return publisher.credentials(request)
          },
        }
      }),

    ofRefusals: (ask) => async (request) => {
      try {
        const answer = await ask(request)
        if (answer === false) refusals.inc({ code: "channel-denied" })
        return answer
      } catch (error) {
        refusals.inc({ code: codeOf(error) })
        throw error
      }
    },

    watchGateway({ stats, lag }) {
      const gauge = (name: string, help: string, read: (stats: GatewayStats) => number) =>
        new Gauge({
          name: `throughline_gateway_${name}`,
          help,
          registers,
          collect() {
            this.set(read(stats()))
          },
        })
      new Gauge({
        name: "throughline_gateway_lag_messages",
        help: "Messages of the log that weren't delivered here, of the channel that is furthest behind. NaN: the log doesn't answer.",
        registers,
        async collect() {
          this.set(await lag().catch(() => Number.NaN))
        },
      })
      gauge("connections", "Open connections.", ({ connections }) => connections)
      gauge("subscriptions", "Channels of all connections, added up.", ({ subscriptions }) => subscriptions)
      gauge("channels", "Channels that somebody here is in.", ({ channels }) => channels)
      gauge("deliveries", "Messages put on a connection since the start.", ({ deliveries }) => deliveries)
      gauge(
        "slow_connections",
        "Connections ended since the start because they didn't read.",
        ({ slow }) => slow,
      )
      gauge("peers", "Other gateways that are heard.", ({ peers }) => peers)
      gauge("in_doubt", "1 while another gateway may be publishing unheard.", ({ isInDoubt }) =>
        Number(isInDoubt),
      )
      gauge(
        "waiting_bytes",
        "Bytes that wait for their connections to read.",
        ({ waitingBytes }) => waitingBytes,
      )
    },
  }
}
