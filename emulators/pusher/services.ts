/** The servers that a test of the protocol runs on: the emulator, and soketi, a witness that isn't ours. */
import { afterAll, test } from "vitest"
import { findSoketi, type Soketi, startSoketi } from "../../realtime/testing/soketi.ts"
import { type PusherServer, startPusherEmulator } from "./server.ts"

/** What a test may ask of any server: where it is, and an app of the test's own. */
export interface PusherService
  extends AsyncDisposable,
    Pick<PusherServer, "clientOptions" | "serverOptions"> {
  /** The first app unless told. */
  app(idOrKey?: string): { id: string; key: string; secret: string }
}

let soketi: Promise<Soketi> | undefined

/** A test on the emulator, and once more on soketi: where it agrees with the vendor's documents, so must the two. */
export function onEachService(name: string, run: (service: PusherService) => Promise<void>): void {
  test(name, async () => {
    await using emulator = await startPusherEmulator()
    await run(emulator)
  })
  test.skipIf(!findSoketi())(`soketi: ${name}`, async () => {
    soketi ??= startSoketi()
    await run(nextAppOf(await soketi))
  })
}

afterAll(async () => (await soketi)?.[Symbol.asyncDispose]())

function nextAppOf({ host, port, nextApp }: Soketi): PusherService {
  const app = nextApp()
  return {
    app: () => app,
    clientOptions: () => ({
      cluster: "mt1",
      wsHost: host,
      wsPort: port,
      wssPort: port,
      forceTLS: false,
      enabledTransports: ["ws"],
    }),
    serverOptions: () => ({
      appId: app.id,
      key: app.key,
      secret: app.secret,
      host,
      port: String(port),
      useTLS: false,
    }),
    // The server goes on; nobody else uses the app.
    async [Symbol.asyncDispose]() {},
  }
}
