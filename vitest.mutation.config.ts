import { defineConfig } from "vitest/config"

/** `npm run mutation`: the tests that hold the heart of the client, and nothing that takes a second. */
export default defineConfig({
  test: {
    include: ["realtime/client/{sequencer,failover-transport,outbox}.test.ts"],
    testTimeout: 10_000,
    env: { THROUGHLINE_PATIENCE_MS: "1000" },
  },
})
