import { defineConfig } from "@playwright/test"
import type { LayoutOptions } from "./e2e/fixtures.ts"
import { findChromium, installLine, tools } from "./scripts/tools.ts"

const executablePath = findChromium()
const isListing = process.argv.includes("--list")
if (!executablePath && !isListing) {
  throw new Error(`unable to find Chromium; ${installLine(tools.chromium)}, or set THROUGHLINE_CHROMIUM`)
}

export default defineConfig<LayoutOptions>({
  testDir: "e2e",
  fullyParallel: false,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    headless: true,
    locale: "en-US",
    // Tracing takes half as much time again; `npm run e2e -- --trace=retain-on-failure` asks for it.
    screenshot: "only-on-failure",
    launchOptions: {
      ...(executablePath && { executablePath }),
      args: [
        ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
        ...["--disable-component-update", "--disable-sync"],
        // Chromium's own sandbox refuses to run as root, as in a container.
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ],
    },
  },
  projects: [
    { name: "build", testMatch: "production-build.setup.ts" },
    {
      name: "one-port",
      use: { layout: "one-port" },
      testIgnore: /(development|serverless|emulators|failover)\.spec\.ts/,
      dependencies: ["build"],
    },
    {
      name: "split",
      use: { layout: "split" },
      testIgnore: /(development|serverless|emulators|failover)\.spec\.ts/,
      dependencies: ["build"],
    },
    ...(["pusher", "ably"] as const).map((layout) => ({
      name: layout,
      use: { layout },
      // What depends on who carries the messages.
      testMatch: /(conversation|downloads|restart|private-rooms|outbox)\.spec\.ts/,
      dependencies: ["build"],
      // Ably lets go of somebody whose connection broke after 15 s; a page that is closed in good order says so itself.
      expect: { timeout: 40_000 },
    })),
    ...(["serverless-pusher", "serverless-ably"] as const).map((layout) => ({
      name: layout,
      use: { layout },
      testMatch: /(conversation|downloads|private-rooms|outbox|serverless)\.spec\.ts/,
      dependencies: ["build"],
      expect: { timeout: 40_000 },
    })),
    {
      name: "failover",
      use: { layout: "failover" },
      testMatch: /(failover|lab)\.spec\.ts/,
      dependencies: ["build"],
      expect: { timeout: 40_000 },
    },
    { name: "emulators", testMatch: "emulators.spec.ts" },
    // A page is compiled when it is first asked for.
    { name: "dev", testMatch: "development.spec.ts", expect: { timeout: 60_000 } },
  ],
})
