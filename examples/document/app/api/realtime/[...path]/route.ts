import { realtime } from "../../../../realtime/server.ts"

export const { GET, POST } = realtime
