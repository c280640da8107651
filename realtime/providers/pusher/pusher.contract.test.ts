import { describeTransportContract } from "#realtime/testing"
import { startPusherBackend } from "../../testing/pusher-backend.ts"

describeTransportContract({ name: "pusher, emulator", start: () => startPusherBackend() })
