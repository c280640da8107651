import { describeTransportContract } from "throughline/testing"
import { startFailoverBackend } from "../testing/failover-backend.ts"

describeTransportContract({ name: "memory, failover", start: () => startFailoverBackend() })
