import { describe, expect, it } from "vitest"
import { contentSecurityPolicy } from "./content-security-policy.ts"

const directive = (policy: string, name: string) =>
  policy
    .split("; ")
    .find((each) => each.startsWith(`${name} `))
    ?.split(" ")
    .slice(1)

describe("the content security policy", () => {
  const socketio = { REALTIME_PROVIDER: ["socketio"], isProduction: true } as const

  it("lets no script run but by the nonce, and nobody frame the page", () => {
    const policy = contentSecurityPolicy(socketio, "abc")
    expect(directive(policy, "script-src")).toEqual(["'self'", "'nonce-abc'", "'strict-dynamic'"])
    expect(directive(policy, "style-src")).toEqual(["'self'", "'nonce-abc'"])
    expect(policy).not.toContain("unsafe-eval")
    for (const name of ["object-src", "base-uri", "frame-ancestors"])
      expect(directive(policy, name)).toEqual(["'none'"])
  })

  it.each([
    ["the gateway on the same origin", socketio, []],
    [
      "a gateway elsewhere",
      { ...socketio, SOCKET_URL: "https://live.example/" },
      ["wss://live.example", "https://live.example"],
    ],
    [
      "Pusher",
      { REALTIME_PROVIDER: ["pusher"], PUSHER_CLUSTER: "eu", isProduction: true },
      ["wss://ws-eu.pusher.com", "https://ws-eu.pusher.com"],
    ],
    [
      "a server of Pusher's protocol",
      {
        REALTIME_PROVIDER: ["pusher"],
        PUSHER_HOST: "soketi.local",
        PUSHER_PORT: 6001,
        PUSHER_TLS: false,
        isProduction: true,
      },
      ["ws://soketi.local:6001", "http://soketi.local:6001"],
    ],
    [
      "Ably, with its fallbacks",
      { REALTIME_PROVIDER: ["ably"], isProduction: true },
      ["wss://*.ably.net", "https://*.ably.net", "wss://*.ably-realtime.com", "https://*.ably-realtime.com"],
    ],
    [
      "a host of Ably's protocol",
      {
        REALTIME_PROVIDER: ["ably"],
        ABLY_ENDPOINT: "localhost",
        ABLY_PORT: 8080,
        ABLY_TLS: false,
        isProduction: true,
      },
      ["ws://localhost:8080", "http://localhost:8080"],
    ],
    [
      "two of them in failover",
      { REALTIME_PROVIDER: ["pusher", "socketio"], PUSHER_CLUSTER: "mt1", isProduction: true },
      ["wss://ws-mt1.pusher.com", "https://ws-mt1.pusher.com"],
    ],
  ] as const)("lets the page connect to itself and to %s, and nowhere else", (_, env, places) => {
    expect(directive(contentSecurityPolicy(env, "abc"), "connect-src")).toEqual(["'self'", ...places])
  })

  it("lets pictures in from the bucket of files, and files out to it, and to no other bucket of that store", () => {
    const FILES_S3_ENDPOINT = "https://s3.example:9000/"
    const policy = contentSecurityPolicy({ ...socketio, FILES_S3_ENDPOINT, FILES_S3_BUCKET: "chat" }, "abc")
    expect(directive(policy, "connect-src")).toEqual(["'self'", "https://s3.example:9000/chat/"])
    expect(directive(policy, "img-src")).toEqual([
      "'self'",
      "data:",
      "blob:",
      "https://s3.example:9000/chat/",
    ])
    expect(directive(contentSecurityPolicy(socketio, "abc"), "img-src")).toEqual(["'self'", "data:", "blob:"])
  })
})
