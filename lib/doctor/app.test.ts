import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, it } from "vitest"
import { parseEnv } from "../env/schema.ts"
import { examineApp } from "./app.ts"

it("reports an app whose pages get a configuration that leads nowhere", async () => {
  const answers: Record<string, object> = {
    "/api/ready": { status: "ready" },
    "/api/realtime/config": { providers: [{ provider: "pusher", cluster: "eu" }] },
  }
  const app = createServer(({ url = "" }, response) => {
    response.setHeader("Content-Type", "application/json")
    response.end(JSON.stringify(answers[url] ?? {}))
  })
  app.listen(0, "127.0.0.1")
  await once(app, "listening")
  const env = parseEnv({
    ...{ SESSION_SECRET: "a session secret of this test, long enough", DATA_DIR: "/nowhere" },
    REALTIME_PROVIDER: "socketio",
  })
  const findings = await examineApp(`http://127.0.0.1:${(app.address() as AddressInfo).port}`, env)
  const failed = findings.filter(({ verdict }) => verdict === "failed")
  expect(failed).toMatchObject([{ detail: expect.stringMatching(/^Pusher: .*PUSHER_KEY/) }])
  app.closeAllConnections()
  app.close()
})
