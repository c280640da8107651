import { realtime } from "../../../../realtime/server"

export const { GET, POST } = realtime
