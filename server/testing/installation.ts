import { sealData } from "iron-session"
import { Client } from "pg"
import { createClient, createHttp } from "throughline/client"
import { createSocketIoTransport } from "throughline/socketio/client"
import { createSocketIoPublisher } from "throughline/socketio/server"
import {
  findPostgres,
  findRedis,
  freePort,
  startPostgres,
  startRedis,
  startTcpProxy,
  waitFor,
} from "throughline/testing"
import { room } from "#lib/chat/channels.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { createChat } from "#lib/realtime/create.ts"
import { findNginx, startNginx } from "./nginx.ts"
import { type RunningProgram, runProgram } from "./program.ts"

const sessionSecret = "a session secret of this test, long enough"
const internalSecret = "an internal secret of this test, long enough"
const lobby = room({ room: "lobby" })

/** Whether this machine lacks a program that an installation runs, and what a test that is skipped for that says in its name. */
export function lookForPrograms(): { isLacking: boolean; unless: string } {
  const lacking = [
    ...(findRedis() ? [] : ["Redis"]),
    ...(findPostgres() ? [] : ["PostgreSQL"]),
    ...(findNginx() ? [] : ["nginx"]),
  ]
  const isLacking = lacking.length > 0
  return { isLacking, unless: isLacking ? ` (skipped: ${lacking.join(" and ")} not found)` : "" }
}

/** One process with a gateway, which can be ended and started again at the same place, and its own wire to Redis. */
export interface GatewayProcess {
  readonly port: number
  program: RunningProgram
  /** Starts what is in this folder; by default the programs that ship. */
  start(folder?: string): Promise<void>
  /** Cuts it off from Redis until the returned function is called. */
  cutFromRedis(): Promise<() => void>
}

export interface InstallationOptions {
  /**
   * What the processes run: the gateway alone, with pages that ask app servers in the test's own process; or the app with its
   * gateway, as `npm start` does, with pages that ask by way of the balancer. The app needs a production build.
   */
  program: "gateway.ts" | "main.ts"
  processes: number
  people: number
  /** Between one message that is written and the next. */
  pauseMs: number
  /** Pages reconnect, and compare where they stand with the log, sooner than those that ship. */
  isHurried?: boolean
}

/**
 * What runs in production behind a balancer: processes with gateways, app servers that publish through any of them,
 * PostgreSQL, Redis and nginx, all real; and people whose pages keep a ledger of what they were given.
 */
export async function startInstallation(options: InstallationOptions) {
  const { program, processes, people, pauseMs, isHurried = false } = options
  await using stack = new AsyncDisposableStack()
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  stack.use(postgres)
  stack.use(redis)
  const database = await makeRole(postgres.connectionString)
  const shared = {
    REALTIME_PROVIDER: "socketio",
    DATABASE_URL: database.connectionString,
    SESSION_SECRET: sessionSecret,
    SOCKET_INTERNAL_SECRET: internalSecret,
  }

  async function startGateway(): Promise<GatewayProcess> {
    const port = await freePort()
    const wire = stack.use(await startTcpProxy({ host: "127.0.0.1", port: redis.port }))
    const env = {
      ...shared,
      ...{ NODE_ENV: "production", HOST: "127.0.0.1", PORT: String(port) },
      REDIS_URL: `redis://127.0.0.1:${wire.port}`,
    }
    const gateway: GatewayProcess = {
      port,
      program: runProgram(program, env),
      async start(folder) {
        gateway.program = runProgram(program, env, folder === undefined ? {} : { folder })
        await isReady()
      },
      cutFromRedis: () => wire.startOutage(),
    }
    async function isReady(): Promise<void> {
      const { output, whenStarted } = gateway.program
      await whenStarted(() => output.text.includes("ready on http"))
    }
    stack.defer(async () => {
      gateway.program.child.kill("SIGKILL")
      await gateway.program.exited
    })
    await isReady()
    return gateway
  }

  const gateways = await Promise.all(Array.from({ length: processes }, startGateway))
  const nginx = stack.use(await startNginx(gateways.map(({ port }) => port)))

  /** What a Next.js server runs: it holds no socket and reaches some gateway through the balancer. */
  const startApp = async () => {
    const env = parseEnv({ ...shared, NODE_ENV: "production", SOCKET_URL: nginx.url, LOG_LEVEL: "silent" })
    const publisher = createSocketIoPublisher({
      ...{ internalUrl: nginx.url, publicUrl: nginx.url, secret: internalSecret },
    })
    const chat = await createChat({ env, publishers: [publisher] })
    stack.defer(() => chat.close())
    return chat
  }
  const apps = await Promise.all([startApp(), startApp()])

  const accepted: string[] = []
  /** Why writers had to try again. */
  const refusals: unknown[] = []
  const writing = new Set<Promise<void>>()

  async function openPage(index: number) {
    const chat = apps[index % apps.length] as (typeof apps)[number]
    const user = { id: `person-${index}`, name: `Person ${index}` }
    await chat.rooms.join(user, "lobby")
    const cookie = `${sessionCookie}=${await sealData({ user }, { password: sessionSecret })}`
    const http = createHttp({
      basePath: `${nginx.url}/api/realtime`,
      async fetch(input, init) {
        const request = new Request(input, init)
        request.headers.set("cookie", cookie)
        if (program === "main.ts") return fetch(request)
        const { GET, POST } = chat.realtime.handlers
        return request.method === "POST" ? POST(request) : GET(request)
      },
    })
    const transport = createSocketIoTransport({
      config: { provider: "socketio", url: nginx.url },
      credentials: (body) => http.credentials("socketio", body),
      onError: () => {},
      ...(isHurried && { firstPauseMs: 20, maxPauseMs: 500 }),
    })
    const client = createClient({
      ...{ transport, http, onError: () => {} },
      ...(isHurried && { headCheck: { connectedMs: 2_000, interruptedMs: 500 } }),
    })
    stack.defer(() => client.close())
    const received: { seq: number; id: string }[] = []
    const channel = client.channel(lobby)
    const subscription = channel.subscribe({
      onMessages: (messages) => void received.push(...messages),
      onGap: ({ from, to }) => {
        throw new Error(`a gap from ${from} to ${to}`)
      },
    })
    channel.presence.subscribe(() => {})
    channel.presence.enter({ status: "active" })
    client.open()
    await subscription.ready
    return { user, cookie, client, channel, received, from: subscription.cursor?.seq ?? 0 }
  }
  const pages: Awaited<ReturnType<typeof openPage>>[] = []
  for (let index = 0; index < people; index += 1) pages.push(await openPage(index))

  /** Somebody writes, or server code publishes, again until it is accepted: what is lost afterwards was promised. */
  function write(n: number): void {
    const id = crypto.randomUUID()
    const page = pages[n % pages.length] as (typeof pages)[number]
    const chat = apps[n % apps.length] as (typeof apps)[number]
    const attempt = async (): Promise<void> => {
      const text = { text: `message ${n}` }
      const sent =
        n % 3 === 0
          ? chat.realtime.publish(lobby, "text-sent", text, { id })
          : page.channel.publish("text-sent", text, { id, timeoutMs: 3_000 })
      await sent.then(
        () => void accepted.push(id),
        (error) => {
          refusals.push(error)
          return new Promise((resolve) => setTimeout(resolve, 100)).then(attempt)
        },
      )
    }
    const writer = attempt().finally(() => writing.delete(writer))
    writing.add(writer)
  }

  const owned = stack.move()
  return {
    ...{ postgres, database, redis, nginx, gateways, apps, pages, lobby, refusals },
    /** Writes without pause while something happens, and a little before and after. */
    async underLoad(happening: () => Promise<void>): Promise<void> {
      let n = 0
      const timer = setInterval(() => write(n++), pauseMs)
      const first = accepted.length
      await waitFor(() => accepted.length > first + 10, "messages before")
      await happening()
      const later = accepted.length
      await waitFor(() => accepted.length > later + 20, "messages after")
      clearInterval(timer)
    },
    /** When all that was accepted has had its time: what each page was given, against the log. */
    async ledger() {
      await waitFor(() => writing.size === 0, "the writers")
      const { seq: end } = await (apps[0] as (typeof apps)[number]).realtime.head(lobby)
      await waitFor(
        () => pages.every(({ received }) => received.some(({ seq }) => seq >= end)),
        `all ${end} on every page`,
      )
      const problems: string[] = []
      for (const { user, received, from } of pages) {
        received.forEach(({ seq }, index) => {
          if (seq !== from + index + 1) problems.push(`${user.id} got ${seq} in place of ${from + index + 1}`)
        })
        const times = Map.groupBy(received, ({ id }) => id)
        for (const id of accepted)
          if (times.get(id)?.length !== 1)
            problems.push(`${user.id} got ${id} ${times.get(id)?.length ?? 0} times`)
      }
      return { accepted: accepted.length, problems }
    },
    /** Waits until everybody sees everybody. */
    everybodyIsSeen: () =>
      waitFor(
        () => pages.every(({ channel }) => channel.presence.snapshot?.members?.length === pages.length),
        "everybody to see everybody",
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** As the guide makes it: who owns tables and may do nothing else. PostgreSQL's limits don't hold for its administrator. */
async function makeRole(connectionString: string) {
  const asAdministrator = async (...statements: string[]) => {
    const client = new Client({ connectionString })
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }
  await asAdministrator(
    "CREATE ROLE chat LOGIN PASSWORD 'canary-password'",
    "GRANT CREATE ON DATABASE postgres TO chat",
    "GRANT CREATE ON SCHEMA public TO chat",
  )
  return {
    connectionString: connectionString.replace("//throughline:", "//chat:"),
    /** Takes all its connections from it and gives it no other, until the returned function is called. */
    async refuseConnections() {
      await asAdministrator(
        "ALTER ROLE chat CONNECTION LIMIT 0",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat'",
      )
      return () => asAdministrator("ALTER ROLE chat CONNECTION LIMIT -1")
    },
  }
}

export type Installation = Awaited<ReturnType<typeof startInstallation>>
