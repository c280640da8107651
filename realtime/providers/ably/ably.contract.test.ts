import { describeTransportContract } from "throughline/testing"
import { startAblyBackend } from "../../testing/ably-backend.ts"

describeTransportContract({ name: "ably, emulator", start: startAblyBackend })
