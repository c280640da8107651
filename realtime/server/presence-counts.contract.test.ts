import { describePresenceCounts } from "#realtime/testing"
import { createMemoryPresenceCounts } from "./presence-counts.ts"

describePresenceCounts({
  name: "memory",
  open: async (now) => ({
    counts: createMemoryPresenceCounts({ now }),
    [Symbol.asyncDispose]: async () => {},
  }),
})
