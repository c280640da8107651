import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

/** `server-only` throws outside a React server build; the tests stand in for that build. */
const alias = { "server-only": fileURLToPath(new URL("./realtime/testing/empty.ts", import.meta.url)) }

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          environment: "node",
          include: ["{app,lib,realtime,server,scripts}/**/*.test.ts"],
          exclude: ["**/*.contract.test.ts", "**/*.live.test.ts", "**/node_modules/**"],
        },
      },
      {
        resolve: { alias },
        test: { name: "react", environment: "jsdom", include: ["{app,lib,realtime}/**/*.test.tsx"] },
      },
      {
        resolve: { alias },
        test: {
          name: "contract",
          environment: "node",
          include: ["{realtime,server}/**/*.contract.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "types",
          include: [],
          // Errors outside the type tests are `npm run types`' to tell.
          typecheck: {
            enabled: true,
            only: true,
            ignoreSourceErrors: true,
            include: ["{lib,realtime}/**/*.test-d.ts"],
            tsconfig: "./tsconfig.json",
          },
        },
      },
    ],
  },
})
