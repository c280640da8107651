import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { tsc } from "./scripts/run.ts"

/** `server-only` throws outside a React server build; the tests stand in for that build. */
const alias = { "server-only": fileURLToPath(new URL("./realtime/testing/empty.ts", import.meta.url)) }

/** Only a test that hangs takes so long, on a busy machine too. */
const patientMs = 60_000

export default defineConfig({
  test: {
    // More than there are cores: much of what tests do is to wait.
    maxWorkers: availableParallelism() * 2,
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          environment: "node",
          include: ["*.test.ts", "{app,lib,realtime,emulators,server,scripts}/**/*.test.ts"],
          exclude: ["**/*.{contract,live,system}.test.ts", "**/node_modules/**"],
          testTimeout: patientMs,
          hookTimeout: patientMs,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "react",
          environment: "jsdom",
          include: ["{app,lib,realtime}/**/*.test.tsx"],
          setupFiles: ["./scripts/testing/patient-queries.ts"],
          testTimeout: patientMs,
          hookTimeout: patientMs,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "contract",
          environment: "node",
          include: ["{lib,realtime,emulators,scripts,server}/**/*.contract.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "system",
          environment: "node",
          include: ["{lib,realtime,emulators,scripts,server}/**/*.system.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "live",
          environment: "node",
          include: ["{lib,realtime}/**/*.live.test.ts"],
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: "types",
          include: [],
          // Errors outside the type tests are `npm run check`'s to tell.
          typecheck: {
            enabled: true,
            only: true,
            checker: tsc,
            ignoreSourceErrors: true,
            include: ["{lib,realtime}/**/*.test-d.ts"],
            // Of the types that they test, not of the project.
            tsconfig: "./tsconfig.types.json",
          },
        },
      },
    ],
  },
})
