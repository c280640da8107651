import { defineConfig } from "@playwright/test"
import type { Layout } from "./e2e/chat-servers.ts"
import type { LayoutOptions } from "./e2e/fixtures.ts"
import { isTier, projects, specsOf } from "./e2e/tiers.ts"
import { findChromium, installLine, tools } from "./scripts/tools.ts"

const executablePath = findChromium()
// Whoever only reads this, to list tests or to look for unused code, needs no browser.
const isRun = process.argv.includes("test") && !process.argv.includes("--list")
if (!executablePath && isRun) {
  throw new Error(`unable to find Chromium; ${installLine(tools.chromium)}, or set THROUGHLINE_CHROMIUM`)
}

/**
 * Those that need no layout of the chat. They come first: `dev` compiles as it goes and takes longest, and begun last it
 * would go on while the other worker had nothing left to do.
 */
const apart = [
  { name: "emulators", test: ["emulators"], system: [] },
  { name: "documents", test: ["documents"], system: [] },
  // It compiles as it goes, which is slow enough without another compiler beside it.
  {
    ...{ name: "dev", test: ["dev-start"], system: ["development", "hot-reload", "neighbour"] },
    dependencies: ["build"],
    ...{ workers: 1, timeout: 360_000, expect: { timeout: 120_000 } },
  },
  // One more production build, and the servers of both.
  {
    ...{ name: "releases", test: [], system: ["releases"], dependencies: ["build"] },
    ...{ workers: 1, timeout: 900_000 },
  },
  // One build of each, and as many servers as there are providers, one after the other.
  { name: "examples", test: [], system: ["examples"], workers: 1, timeout: 600_000 },
  // Apps outside the project, made by `create-next-app` and by npm, which compile as they go.
  {
    ...{ name: "strangers", test: [], system: ["strangers", "strangers-life", "strangers-next-15"] },
    ...{ workers: 1, timeout: 1_800_000, expect: { timeout: 300_000 } },
  },
]

/** Slow to start, and started by each worker: one runs all of its specs. `one-port` has most of them, and starts quickly. */
const workersOf = (layout: Layout) => (layout === "one-port" ? {} : { workers: 1 })

const fileOf = (spec: string) => `${spec}.spec.ts`

export default defineConfig<LayoutOptions>({
  testDir: "e2e",
  fullyParallel: false,
  workers: 2,
  forbidOnly: true,
  // However slow the machine: these only end what hangs.
  timeout: 180_000,
  expect: { timeout: 45_000 },
  use: {
    headless: true,
    locale: "en-US",
    // Without a graphics card each frame of an animation is the processor's. The other tier has them.
    ...(isTier("test") && { contextOptions: { reducedMotion: "reduce" } }),
    // Tracing takes half as much time again; `npm run e2e -- --trace=retain-on-failure` asks for it.
    screenshot: "only-on-failure",
    launchOptions: {
      ...(executablePath && { executablePath }),
      args: [
        ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
        ...["--disable-component-update", "--disable-sync"],
        // A name that isn't localhost, to which browsers give more than to others.
        "--host-resolver-rules=MAP chat.test 127.0.0.1",
        // Chromium's own sandbox refuses to run as root, as in a container.
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ],
    },
  },
  projects: [
    { name: "build", testMatch: "production-build.setup.ts" },
    ...apart.flatMap(({ test, system, ...project }) => {
      const testMatch = specsOf({ test, system }).map(fileOf)
      return testMatch.length > 0 ? [{ ...project, testMatch }] : []
    }),
    ...projects.flatMap((project) => {
      const testMatch = specsOf(project).map(fileOf)
      const { name, layout } = project
      if (testMatch.length === 0) return []
      return [{ name, use: { layout }, testMatch, dependencies: ["build"], ...workersOf(layout) }]
    }),
  ],
})
