import type { Layout } from "./chat-servers.ts"

/** `npm test` runs one part of the browser tests, `npm run test:system` the other; `npm run e2e` both. */
export type Tier = "test" | "system"

const variable = "THROUGHLINE_TIER"
export const inTier = (tier: Tier) => ({ [variable]: tier })

interface Project {
  name: string
  layout: Layout
  /** The specs, without `.spec.ts`, that every change has to pass. */
  test?: readonly string[]
  /** The rest: more of the chat than its core, the same on more layouts, and what takes long or compares pictures. */
  system?: readonly string[]
}

const messages = ["changes", "drafts", "messages", "replies"]
const outbox = ["outbox", "outbox-storage"]
/** What depends on who carries the messages. */
const carried = [
  ...[...messages, ...outbox, "lab", "presence", "private-rooms", "session", "unread", "weight"],
]

/** Which specs run on which layout. The first has all of the chat in its two tiers; the others what differs there. */
export const projects: readonly Project[] = [
  {
    name: "one-port",
    layout: "one-port",
    test: [
      ...[...messages, ...outbox, "conversation", "downloads", "files-off", "first-paint", "input-method"],
      ...["presence", "private-rooms", "restart", "security", "session", "weight"],
    ],
    system: [
      ...["accessibility", "choices", "composer", "files", "lab", "list", "looks", "navigation", "pages"],
      ...["old-browser", "rich-text", "search", "shell", "timeline", "unread"],
    ],
  },
  {
    name: "split",
    layout: "split",
    test: ["private-rooms"],
    system: [...outbox, "conversation", "downloads", "presence", "restart", "security"],
  },
  { name: "pusher", layout: "pusher", test: ["conversation"], system: ["downloads", "restart", ...carried] },
  { name: "ably", layout: "ably", test: ["conversation"], system: ["downloads", "restart", ...carried] },
  {
    name: "serverless-pusher",
    layout: "serverless-pusher",
    test: ["conversation", "serverless"],
    system: [
      ...[...messages, ...outbox, "downloads", "files", "presence", "private-rooms", "search"],
      ...["security", "unread"],
    ],
  },
  {
    name: "serverless-ably",
    layout: "serverless-ably",
    test: ["downloads"],
    system: [...messages, ...outbox, "conversation", "presence", "private-rooms", "serverless", "unread"],
  },
  { name: "failover", layout: "failover", test: ["failover"], system: ["lab"] },
  { name: "socketio-pusher", layout: "socketio-pusher", test: ["providers"] },
  { name: "socketio-ably", layout: "socketio-ably", system: ["providers"] },
  { name: "traced", layout: "traced", test: ["traces"] },
]

/** The specs of a project in the tier that the environment names; without a name, all. */
export function specsOf({ test = [], system = [] }: Project): string[] {
  const tier = process.env[variable]
  if (tier === "test") return [...test]
  if (tier === "system") return [...system]
  return [...test, ...system]
}

/** Whether the environment asks for what every change has to pass. */
export const isTestTier = () => process.env[variable] !== "system"
