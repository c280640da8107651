import type { ChannelDefinitions } from "../channel.ts"
import { type OnError, toWireError } from "../errors.ts"
import { createReporter, reportFailure } from "../guard.ts"
import type { User } from "../message.ts"
import { requireHeard } from "../server/hearing.ts"
import { readJsonBody, statusOf } from "../server/http.ts"
import { identifyBy } from "../server/session.ts"
import type { ClientConfig, Declarations, Realtime } from "../server/types.ts"
import { isGuests } from "./guests.ts"
import { createLifecycle, type Lifecycle } from "./lifecycle.ts"
import type { Opened } from "./open.ts"
import type { ThroughlineOptions } from "./options.ts"
import { untilRequest } from "./request-time.ts"

/**
 * The realtime layer of an app, one in each process whatever bundle asks. Nothing
 * is opened until somebody uses it.
 */
export interface Throughline<Definitions extends ChannelDefinitions = ChannelDefinitions>
  extends Pick<
    Realtime<Definitions>,
    | "publish"
    | "publishBatch"
    | "signal"
    | "state"
    | "snapshot"
    | "revoke"
    | "history"
    | "head"
    | "members"
    | "counts"
  > {
  /**
   * For the catch-all route, `app/api/realtime/[...path]/route.ts`: `export const { GET, POST } = realtime`.
   */
  GET(request: Request): Promise<Response>
  /** See `GET`. */
  POST(request: Request): Promise<Response>
  /**
   * For `register` in `instrumentation.ts`, where `process.env.NEXT_RUNTIME` is `nodejs`: opens everything
   * when the server starts, so that a mistake in the environment is said then and pages that come back find
   * the gateway. Rejects with `invalid-config`.
   */
  register(): Promise<void>
  /**
   * What pages need to connect, for `<Throughline config={await realtime.config()}>`. Nothing
   * secret. Of the environment that the app runs in, not of the one that it is built in: a page that asks is
   * drawn for each request, by `connection()` of next/server. With `cacheComponents` ask within `<Suspense>`.
   * Within `use cache`, `unstable_cache` or the `after()` of a page it rejects, as `connection()` does there:
   * ask outside, and hand over what it resolved with. Rejects with `invalid-config`.
   */
  config(): Promise<ClientConfig>
  /**
   * The gateway alone, on a port of its own: where the app's pages and its sockets are served by different
   * processes, which share `SOCKET_INTERNAL_SECRET` and the log. Resolves with the port. Rejects with
   * `invalid-config` where `REALTIME_PROVIDER` doesn't name `socketio`, `SOCKET_URL` is set without
   * `SOCKET_PORT`, `SOCKET_INTERNAL_SECRET` is missing, or the port can't be had.
   */
  listen(port: number, hostname?: string): Promise<number>
  /**
   * Waits for what is under way, then closes the gateway, the publishers and the log, each in its time and
   * whatever becomes of the others. Called again meanwhile, it waits for the same end; whatever is used
   * meanwhile or afterwards opens them again, once they are closed. Rejects with what couldn't be closed.
   */
  close(): Promise<void>
}

/**
 * Those of this process, by the path of their route. Under a name that every copy of this
 * module knows: each bundle has its own.
 */
const key = Symbol.for("throughline.next")
const shared = globalThis as { [key]?: Map<string, Running> }

interface Running {
  /** Of the evaluation that came last. */
  declared: Declarations<ChannelDefinitions>
  lifecycle: Lifecycle<Opened>
  /** What was open until the environment changed served pages, and nothing has since. */
  hasPages?: boolean
}

/**
 * Server: the realtime layer of a Next.js app, by its environment: `REALTIME_PROVIDER` chooses who carries
 * the messages (`socketio`, which is the default, `pusher`, `ably`, or several in order of preference).
 *
 * Inert when it is evaluated: `next build`, and every bundle, may. The first use reads and checks the
 * environment, then opens one log and the chosen publishers, once in the process; hot reload changes what is
 * declared, and leaves them open. Under `next dev` a `.env` file that is saved is followed: everything is
 * opened anew, and pages move. The bundled gateway stands on the port of the app's own server, under `next
 * dev`, `next start` and `output: "standalone"` alike.
 *
 * ```ts
 * export const realtime = throughline({ channels: { room }, identify: guests(), authorize: () => true })
 * ```
 */
export function throughline<Definitions extends ChannelDefinitions>(
  options: ThroughlineOptions<Definitions>,
): Throughline<Definitions> {
  const { basePath = "/api/realtime", channels, identify, authorize, limit, onSignal } = options
  requireHeard(options)
  const onError: OnError = createReporter(options.onError)
  // What is opened is the process's, not that of the page that is being drawn, within which Next.js
  // refuses the clock and what is random.
  const apart: typeof run = process.getBuiltinModule?.("node:async_hooks").AsyncLocalStorage.snapshot() ?? run
  const declared = {
    channels,
    identify,
    authorize,
    limit,
    onSignal,
  } as unknown as Declarations<ChannelDefinitions>
  shared[key] ??= new Map()
  const known = shared[key].get(basePath)
  const running: Running = known ?? { declared, lifecycle: createLifecycle() }
  shared[key].set(basePath, running)
  if (known) redeclare(known)

  function redeclare(earlier: Running): void {
    earlier.declared = declared
    // Where it couldn't be opened, whoever uses it next hears why.
    void earlier.lifecycle.opened?.then(({ realtime }) => realtime.redefine(declared)).catch(() => {})
  }

  const openOnce = () =>
    running.lifecycle.open(
      (cleanup) =>
        apart(async () => {
          const { open } = await import("./open.ts")
          const opened = await open({ ...options, basePath }, cleanup)
          opened.realtime.redefine(running.declared)
          return opened
        }),
      onError,
    )

  /** By the variables as they are now: `next dev` reads its `.env` files again when they are saved. */
  async function open(): Promise<Opened> {
    for (;;) {
      const opening = openOnce()
      const opened = await opening
      if (opened.isCurrent()) {
        if (running.hasPages) await serveAgain(opened)
        return opened
      }
      running.hasPages ||= opened.isServing
      // Whoever asks at the same time closes it once, and not what was opened since.
      if (running.lifecycle.opened !== opening) continue
      console.info("[realtime] the environment has changed; everything is opened anew")
      await running.lifecycle.close().catch((error: unknown) => {
        reportFailure(onError, error, { stage: "close what was opened before the environment changed" })
      })
    }
  }

  /** Pages that were connected ask for nothing that would: they wait for the gateway. */
  async function serveAgain(opened: Opened): Promise<void> {
    running.hasPages = false
    await opened.serve(running.declared.identify).catch((error: unknown) => {
      reportFailure(onError, error, { stage: "serve pages by the changed environment" })
    })
  }

  /** As above, in a process that serves pages. */
  async function serve(): Promise<Opened> {
    const opened = await open()
    await opened.serve(running.declared.identify)
    return opened
  }

  const use = async () => (await open()).realtime as unknown as Realtime<Definitions>

  /** Who is asking; a guest who is new is let in. */
  async function session(request: Request): Promise<Response> {
    await readJsonBody(request)
    const { identify } = running.declared
    if (!isGuests(identify)) return answer({ user: await identifyBy(identify, request) })
    const { user, cookie } = await identify.letIn(request, onError)
    return answer({ user }, cookie === null ? {} : { "Set-Cookie": cookie })
  }

  const answerBy =
    (method: "GET" | "POST") =>
    async (request: Request): Promise<Response> => {
      try {
        const { realtime } = await serve()
        const { pathname } = new URL(request.url)
        if (method === "POST" && pathname.endsWith("/session")) return await session(request)
        return await realtime.handlers[method](request)
      } catch (error) {
        reportFailure(onError, error, { stage: `answer ${method} ${new URL(request.url).pathname}` })
        return Response.json(
          { error: toWireError(error) },
          { status: statusOf(error), headers: { "Cache-Control": "no-store" } },
        )
      }
    }

  return {
    GET: answerBy("GET"),
    POST: answerBy("POST"),
    register: async () => void (await serve()),
    async config() {
      await untilRequest()
      return (await serve()).realtime.clientConfig()
    },
    publish: async (...call) => (await use()).publish(...call),
    publishBatch: async (...call) => (await use()).publishBatch(...call),
    signal: async (...call) => (await use()).signal(...call),
    state: (ref) => ({
      set: async (...call) => (await use()).state(ref).set(...call),
      patch: async (...call) => (await use()).state(ref).patch(...call),
      delete: async (...call) => (await use()).state(ref).delete(...call),
      read: async (...call) => (await use()).state(ref).read(...call),
    }),
    snapshot: (ref) => ({
      read: async (...call) => (await use()).snapshot(ref).read(...call),
      write: async (...call) => (await use()).snapshot(ref).write(...call),
      trim: async (...call) => (await use()).snapshot(ref).trim(...call),
    }),
    revoke: async (...call) => (await use()).revoke(...call),
    history: async (...call) => (await use()).history(...call),
    head: async (...call) => (await use()).head(...call),
    members: async (...call) => (await use()).members(...call),
    counts: async (...call) => (await use()).counts(...call),
    listen: async (port, hostname) => (await open()).listen(port, hostname),
    close: () => running.lifecycle.close(),
  }
}

/** Another runtime has no contexts to leave. */
const run = <Value>(work: () => Value): Value => work()

const answer = (body: { user: User | null }, headers: Record<string, string> = {}) =>
  Response.json(body, { headers: { "Cache-Control": "no-store", ...headers } })
