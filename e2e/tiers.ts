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

const moreOfMessages = ["changes", "drafts", "outbox-storage", "outbox-waiting", "replies"]
const allOfMessages = ["messages", "outbox", ...moreOfMessages]
/** What depends on who carries the messages. */
const carried = [
  ...[
    ...allOfMessages,
    "lab",
    "leaving",
    "names",
    "presence",
    "private-rooms",
    "room-owner",
    "session",
    "typing",
    "unread",
    "weight",
  ],
]

/** Which specs run on which layout. The first has all of the chat in its two tiers; the others what differs there. */
export const projects: readonly Project[] = [
  {
    name: "one-port",
    layout: "one-port",
    test: [
      ...[
        "conversation",
        "downloads",
        "first-paint",
        "input-method",
        "long-room",
        "messages",
        "outbox",
        "restart",
        "security",
      ],
      ...["session", "weight"],
    ],
    system: [
      ...[...moreOfMessages, "accessibility", "choices", "composer", "devices", "files", "files-off", "lab"],
      ...[
        "input-method-elsewhere",
        "leaving",
        "list",
        "long-names",
        "looks",
        "names",
        "navigation",
        "old-browser",
        "pages",
        "presence",
        "printing",
        "private-rooms",
        "proxy",
        "rich-text",
        "room-owner",
      ],
      ...["search", "shell", "timeline", "typing", "unread"],
    ],
  },
  {
    name: "split",
    layout: "split",
    test: ["leaving"],
    system: [
      "private-rooms",
      "outbox",
      "outbox-storage",
      "outbox-waiting",
      "conversation",
      "downloads",
      "presence",
      "restart",
      "room-owner",
      "security",
      "typing",
    ],
  },
  { name: "pusher", layout: "pusher", test: ["conversation"], system: ["downloads", "restart", ...carried] },
  { name: "ably", layout: "ably", test: ["conversation"], system: ["downloads", "restart", ...carried] },
  {
    name: "serverless-pusher",
    layout: "serverless-pusher",
    test: ["conversation", "serverless", "serverless-start"],
    system: [
      ...[
        ...allOfMessages,
        "downloads",
        "files",
        "leaving",
        "names",
        "presence",
        "private-rooms",
        "room-owner",
        "search",
        "security",
        "typing",
      ],
      "unread",
    ],
  },
  {
    name: "serverless-ably",
    layout: "serverless-ably",
    system: [
      ...[
        ...allOfMessages,
        "conversation",
        "downloads",
        "leaving",
        "names",
        "presence",
        "private-rooms",
        "room-owner",
        "serverless",
        "typing",
      ],
      "unread",
    ],
  },
  { name: "failover", layout: "failover", test: ["failover"], system: ["lab"] },
  { name: "socketio-pusher", layout: "socketio-pusher", test: ["providers"] },
  { name: "socketio-ably", layout: "socketio-ably", system: ["providers"] },
  { name: "traced", layout: "traced", system: ["traces"] },
]

/** The specs of a project in the tier that the environment names; without a name, all. */
export function specsOf({ test = [], system = [] }: Pick<Project, "test" | "system">): string[] {
  const tier = process.env[variable]
  if (tier === "test") return [...test]
  if (tier === "system") return [...system]
  return [...test, ...system]
}

/** Whether the environment asks for this one alone. */
export const isTier = (tier: Tier) => process.env[variable] === tier
