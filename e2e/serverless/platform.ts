import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  request as send,
} from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import { copyFunction, type EmittedFunction, readFunctions } from "./functions.ts"
import { middlewareOf, type Route, route } from "./routes.ts"

/** The functions and files of `vercel build`, served as the platform serves them. */
export interface Platform extends AsyncDisposable {
  readonly url: string
  /** What the functions printed and how they failed. */
  output(): string
  /** The files that the instances of a function have loaded so far, relative to their folder. */
  loadedBy(name: string): Set<string>
}

export interface PlatformOptions {
  /** Where `vercel build` ran. */
  projectDir: string
  /** The deployment's variables, and nothing else of this machine's. */
  env: Record<string, string>
  port?: number
}

/** Requests go to these in turn, so that what one keeps in memory is not there for the next. */
const instancesPerFunction = 2

/** Where the functions stand that were asked for so far, by the folders that they were emitted into. */
const unpacked = new Map<string, string>()
let unpackedRoot: string | undefined

/** A function is a thousand files and more: it is copied when it is first asked, and once for all platforms, since it writes nothing. */
function unpack(emitted: EmittedFunction, projectDir: string): string {
  const known = unpacked.get(emitted.folder)
  if (known) return known
  unpackedRoot ??= makeRoot()
  const folder = join(unpackedRoot, String(unpacked.size))
  copyFunction(emitted, projectDir, folder)
  unpacked.set(emitted.folder, folder)
  return folder
}

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "throughline-functions-"))
  process.once("exit", () => rmSync(root, { recursive: true, force: true }))
  return root
}

interface Instance {
  child: ChildProcess
  port: number
  running: number
}

interface Deployed {
  emitted: EmittedFunction
  instances: Promise<Instance>[]
  next: number
  loaded: Set<string>
}

interface Call {
  method: string | undefined
  path: string
  headers: IncomingHttpHeaders
  body: IncomingMessage | null
}

const types: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
}

export async function startPlatform({ projectDir, env, port = 0 }: PlatformOptions): Promise<Platform> {
  const outputDir = join(projectDir, ".vercel", "output")
  const { routes, overrides = {} } = JSON.parse(readFileSync(join(outputDir, "config.json"), "utf8")) as {
    routes: Route[]
    overrides?: Record<string, { path?: string; contentType?: string }>
  }
  const byFolder = new Map<string, Deployed>()
  const byName = new Map<string, Deployed>()
  for (const emitted of readFunctions(outputDir)) {
    const deployed = byFolder.get(emitted.folder) ?? { emitted, instances: [], next: 0, loaded: new Set() }
    byFolder.set(emitted.folder, deployed)
    byName.set(emitted.name, deployed)
  }
  const renamed = new Map(
    Object.entries(overrides).flatMap(([file, { path }]) => (path ? [[path, file]] : [])),
  )
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      output += `${error}\n`
      response.writeHead(500).end()
    })
  })
  const origin = () => `http://localhost:${(server.address() as AddressInfo).port}`
  let output = ""
  let invocations = 0

  function fileOf(target: string): string | null {
    const path = join(outputDir, "static", renamed.get(target) ?? target)
    return existsSync(path) && statSync(path).isFile() ? path : null
  }

  function start({ emitted, loaded }: Deployed): Promise<Instance> {
    const folder = unpack(emitted, projectDir)
    const runtime = join(import.meta.dirname, "runtime.ts")
    const permissions = ["--permission", `--allow-fs-read=${folder}`, `--allow-fs-read=${runtime}`]
    const child = spawn(
      process.execPath,
      [...permissions, runtime, folder, emitted.handler, emitted.isWeb ? "web" : "node"],
      {
        cwd: folder,
        env: {
          ...env,
          VERCEL: "1",
          VERCEL_ENV: "production",
          NODE_ENV: "production",
          // Next.js asks itself for the page that an action leads to, by https unless told.
          __NEXT_PRIVATE_ORIGIN: origin(),
        },
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      },
    )
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        output = (output + chunk).slice(-50_000)
      })
    return new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`${emitted.name} ended with ${code}:\n${output}`)))
      child.on("message", (message: { kind: string; port?: number; loaded?: string[]; error?: string }) => {
        if (message.kind === "failed") output += `${emitted.name}: ${message.error}\n`
        if (message.kind === "ready") resolve({ child, port: message.port ?? 0, running: 0 })
        if (message.kind !== "over") return
        const prefix = `file://${folder}/`
        for (const url of message.loaded ?? [])
          loaded.add(url.startsWith(prefix) ? url.slice(prefix.length) : url)
      })
    })
  }

  /** Asks the next instance in turn, thawed; it is frozen again when all that it does is done. */
  async function invoke(deployed: Deployed, call: Call): Promise<IncomingMessage> {
    const index = deployed.next++ % instancesPerFunction
    deployed.instances[index] ??= start(deployed)
    const instance = await deployed.instances[index]
    const invocation = String(++invocations)
    instance.running += 1
    instance.child.kill("SIGCONT")
    const over = new Promise<void>((resolve) => {
      const listen = (message: { kind: string; invocation?: string }) => {
        if (message.kind !== "over" || message.invocation !== invocation) return
        instance.child.off("message", listen)
        resolve()
      }
      instance.child.on("message", listen)
    })
    void over.then(() => {
      instance.running -= 1
      // Nothing runs between invocations on a serverless platform, whatever timers and sockets were left.
      if (instance.running === 0) instance.child.kill("SIGSTOP")
    })

    const { method, path, body } = call
    return new Promise((resolve, reject) => {
      const inner = send({
        ...{ host: "127.0.0.1", port: instance.port, method, path, agent: false },
        headers: {
          ...call.headers,
          "x-forwarded-proto": "http",
          "x-forwarded-host": call.headers.host,
          "x-invocation": invocation,
        },
      })
      inner.on("response", resolve)
      inner.on("error", reject)
      if (body) body.pipe(inner)
      else inner.end()
    })
  }

  /** What stands before the pages may answer itself, or change what they are asked and what they answer. */
  async function askMiddleware(
    request: IncomingMessage,
    url: URL,
  ): Promise<{ headers: IncomingHttpHeaders; added: OutgoingHttpHeaders; answer: IncomingMessage | null }> {
    const deployed = byName.get(middlewareOf(routes, { url, headers: request.headers }) ?? "")
    if (!deployed) return { headers: request.headers, added: {}, answer: null }
    const path = `${url.pathname}${url.search}`
    const { "content-length": _, "transfer-encoding": __, ...bodiless } = request.headers
    const answer = await invoke(deployed, { method: "GET", path, headers: bodiless, body: null })
    if (answer.headers["x-middleware-next"] === undefined)
      return { headers: request.headers, added: {}, answer }
    answer.resume()
    const named = String(answer.headers["x-middleware-override-headers"] ?? "").split(",")
    const changed = named.flatMap((name) => {
      const value = answer.headers[`x-middleware-request-${name}`]
      return value === undefined ? [] : [[name, value]]
    })
    const isOwn = (name: string) =>
      !/^(x-middleware-|connection|date|transfer-|content-length|keep-)/.test(name)
    const added = Object.entries(answer.headers).filter(([name]) => isOwn(name))
    return {
      headers: { ...request.headers, ...Object.fromEntries(changed) },
      added: Object.fromEntries(added),
      answer: null,
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://app.test")
    const to = route(
      routes,
      { url, headers: request.headers },
      (target) => fileOf(target) !== null || byName.has(target),
    )
    if (to.headers.Location && to.status) {
      response.writeHead(to.status, to.headers).end()
      return
    }
    const before = await askMiddleware(request, url)
    if (before.answer) {
      response.writeHead(before.answer.statusCode ?? 500, before.answer.headers)
      before.answer.pipe(response)
      return
    }
    const file = fileOf(to.target)
    const deployed = byName.get(to.target)
    if (file) {
      const contentType =
        overrides[to.target]?.contentType ?? types[extname(file)] ?? "application/octet-stream"
      response.writeHead(to.status ?? 200, { ...to.headers, "Content-Type": contentType })
      createReadStream(file).pipe(response)
    } else if (deployed) {
      const search = to.query.size > 0 ? `?${to.query}` : ""
      const answer = await invoke(deployed, {
        method: request.method,
        path: `${url.pathname}${search}`,
        headers: { ...before.headers, "x-matched-path": `/${to.target === "index" ? "" : to.target}` },
        body: request,
      })
      response.writeHead(to.status ?? answer.statusCode ?? 500, {
        ...to.headers,
        ...before.added,
        ...answer.headers,
      })
      answer.pipe(response)
    } else response.writeHead(404).end()
  }

  server.listen(port)
  await once(server, "listening")
  return {
    url: origin(),
    output: () => output,
    loadedBy: (name) => byName.get(name)?.loaded ?? new Set(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      for (const { instances } of byFolder.values())
        for (const instance of instances) (await instance.catch(() => null))?.child.kill("SIGKILL")
    },
  }
}
