import { describeTransportContract } from "throughline/testing"
import { startMemoryBackend } from "../../testing/memory-backend.ts"
import { memoryCapabilities } from "./capabilities.ts"

describeTransportContract({ name: "memory", start: () => startMemoryBackend() })

/** What a provider can't do, the client does by HTTP: the same promises with a capability taken away. */
describeTransportContract({
  name: "memory, signals over HTTP",
  start: () => startMemoryBackend({ capabilities: { ...memoryCapabilities, signalsOverConnection: false } }),
})
