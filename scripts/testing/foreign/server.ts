import { createAblyPublisher } from "throughline/ably/server"
import { createPostgresLog } from "throughline/log/postgres"
import { createSqliteLog } from "throughline/log/sqlite"
import { createPusherPublisher } from "throughline/pusher/server"
import { createMemoryLog, createRealtime, type MessageLog } from "throughline/server"
import { attachGateway, connectRedisCluster, createBroadcaster } from "throughline/socketio/gateway"
import { createSocketIoPublisher } from "throughline/socketio/server"
import { rooms } from "./channels.js"

declare const env: Record<string, string>

export const logs: MessageLog[] = [
  createMemoryLog(),
  createSqliteLog({ path: "realtime.db" }),
  createPostgresLog({ connectionString: env.DATABASE_URL ?? "" }),
]

export const realtime = createRealtime({
  channels: rooms,
  identify: (request) => ({ id: request.headers.get("x-user") ?? "nobody" }),
  authorize: ({ channel, action }) => channel.params.room === "lobby" && action !== "publish",
  log: createMemoryLog(),
  publishers: [
    createSocketIoPublisher({ internalUrl: "http://127.0.0.1:3001", secret: "secret" }),
    createPusherPublisher({ appId: "1", key: "key", secret: "secret", cluster: "eu" }),
    createAblyPublisher({ apiKey: "1.key:secret" }),
  ],
})

export const gateway = { attachGateway, connectRedisCluster, createBroadcaster }

export async function announce(): Promise<void> {
  await realtime.publish(rooms.zodRoom({ room: "lobby" }), "text-sent", { text: "hello", at: 1 })
  await realtime.publish(rooms.miniRoom({ room: "lobby" }), "text-sent", { text: "hello", at: 1 })
  await realtime.publish(rooms.valibotRoom({ room: "lobby" }), "text-sent", { text: "hello", at: 1 })
  await realtime.publish(rooms.arktypeRoom({ room: "lobby" }), "text-sent", { text: "hello", at: "1" })
  // @ts-expect-error the channel has no such event
  await realtime.publish(rooms.zodRoom({ room: "lobby" }), "text-shouted", { text: "hello" })
  // @ts-expect-error the payload is another one
  await realtime.publish(rooms.valibotRoom({ room: "lobby" }), "text-sent", { words: "hello" })
  // @ts-expect-error the pattern asks for a room
  rooms.arktypeRoom({ channel: "lobby" })
}
