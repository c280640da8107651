import { defineConfig } from "@playwright/test"
import type { LayoutOptions } from "./e2e/fixtures.ts"
import { isTestTier, projects, specsOf } from "./e2e/tiers.ts"
import { findChromium, installLine, tools } from "./scripts/tools.ts"

const executablePath = findChromium()
// Whoever only reads this, to list tests or to look for unused code, needs no browser.
const isRun = process.argv.includes("test") && !process.argv.includes("--list")
if (!executablePath && isRun) {
  throw new Error(`unable to find Chromium; ${installLine(tools.chromium)}, or set THROUGHLINE_CHROMIUM`)
}

const vendorsAndDevelopment = [
  { name: "emulators", testMatch: "emulators.spec.ts" },
  {
    name: "dev",
    testMatch: "development.spec.ts",
    // It compiles as it goes, which is slow enough without another compiler beside it.
    dependencies: ["build"],
  },
]

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
    ...projects.flatMap((project) => {
      const specs = specsOf(project).map((name) => `${name}.spec.ts`)
      const { name, layout } = project
      return specs.length > 0 ? [{ name, use: { layout }, testMatch: specs, dependencies: ["build"] }] : []
    }),
    ...(isTestTier() ? vendorsAndDevelopment : []),
  ],
})
