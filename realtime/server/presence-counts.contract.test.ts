import { describePresenceCounts } from "throughline/testing"
import { createMemoryPresenceCounts } from "./presence-counts.ts"

describePresenceCounts({
  name: "memory",
  open: async (now) => ({
    counts: createMemoryPresenceCounts({ now }),
    [Symbol.asyncDispose]: async () => {},
  }),
})
