import { describeTransportContract } from "#realtime/testing"
import { startAblyBackend } from "../../testing/ably-backend.ts"

describeTransportContract({ name: "ably, emulator", start: startAblyBackend })
