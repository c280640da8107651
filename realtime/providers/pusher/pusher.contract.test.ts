import { describeTransportContract } from "throughline/testing"
import { startPusherBackend } from "../../testing/pusher-backend.ts"

describeTransportContract({ name: "pusher, emulator", start: () => startPusherBackend() })
