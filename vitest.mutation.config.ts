import { defineConfig } from "vitest/config"

/** `npm run mutation`: the tests that hold the heart of the client, and as much of the simulation as takes a second. */
export default defineConfig({
  test: {
    include: [
      "realtime/client/sequencer.test.ts",
      "realtime/client/failover-{driver,link,policy,timing,transport}.test.ts",
      "realtime/client/outbox{,-answers,-kept,-order,-publish,-sender,-tabs}.test.ts",
      "realtime/testing/simulation/simulation.test.ts",
    ],
    testTimeout: 10_000,
    env: { THROUGHLINE_PATIENCE_MS: "1000", SIMULATION_RUNS: "100" },
  },
})
