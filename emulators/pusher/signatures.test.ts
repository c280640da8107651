import { describe, expect, it } from "vitest"
import { createManualClock } from "./clock.ts"
import { createPusherEmulator } from "./emulator.ts"
import { channelStringToSign, hmacSha256Hex, md5Hex, requestStringToSign } from "./signatures.ts"

/** The vendor's worked example (pusher/README.md §10.1). */
const example = {
  app: { id: "3", key: "278d425bdf160c739803", secret: "7ad3773142a6692b25b8" },
  timestamp: 1353088179,
  body: '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}',
  body_md5: "ec365a775a4cd0599faeb73354201b6f",
  signature: "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
}

const parameters = [
  `auth_key=${example.app.key}`,
  `auth_timestamp=${example.timestamp}`,
  "auth_version=1.0",
  `body_md5=${example.body_md5}`,
]

function post(query: string, { at = example.timestamp, body = example.body } = {}) {
  const emulator = createPusherEmulator({ apps: [example.app], clock: createManualClock(at * 1000) })
  return emulator.handle({ method: "POST", path: "/apps/3/events", query, headers: {}, body })
}

describe("signatures", () => {
  it("§10.1k the vendor's example has the vendor's MD5 and signature", () => {
    const query = new Map(parameters.map((pair) => pair.split("=") as [string, string]))
    expect(md5Hex(example.body)).toBe(example.body_md5)
    expect(hmacSha256Hex(example.app.secret, requestStringToSign("POST", "/apps/3/events", query))).toBe(
      example.signature,
    )
  })

  it("§10.1k the HTTP API accepts the vendor's example on its day", async () => {
    const query = [...parameters, `auth_signature=${example.signature}`].join("&")
    await expect(post(query)).resolves.toMatchObject({ status: 200, body: "{}" })
  })

  it("§10.1c §10.1d keys are lower-cased and sorted, values stay unescaped, the signature is left out", () => {
    const query = new Map([
      ["info", "user_count,subscription_count"],
      ["Auth_Key", "k"],
      ["auth_signature", "s"],
    ])
    expect(requestStringToSign("get", "/apps/1/channels", query)).toBe(
      "GET\n/apps/1/channels\nauth_key=k&info=user_count,subscription_count",
    )
  })

  it("§3.6a §3.6b §3.6c §3.6d channel data is in the string to sign byte for byte, for whatever channel", () => {
    expect(channelStringToSign("1.2", "private-a")).toBe("1.2:private-a")
    expect(channelStringToSign("1.2", "private-a", '{ "user_id": 1 }')).toBe('1.2:private-a:{ "user_id": 1 }')
  })

  const signature = `auth_signature=${example.signature}`
  const without = (name: string) => parameters.filter((pair) => !pair.startsWith(name))
  it.each([
    ["no key", [...without("auth_key"), signature], {}, "Missing parameter: auth_key"],
    ["a stranger's key", [...without("auth_key"), "auth_key=other", signature], {}, "Unknown auth_key"],
    ["no version", [...without("auth_version"), signature], {}, "Missing parameter: auth_version"],
    [
      "another version",
      [...without("auth_version"), "auth_version=2.0", signature],
      {},
      "Version not supported",
    ],
    ["no timestamp", [...without("auth_timestamp"), signature], {}, "Missing parameter: auth_timestamp"],
    [
      "a timestamp in words",
      [...without("auth_timestamp"), "auth_timestamp=now", signature],
      {},
      "Timestamp expired",
    ],
    ["no MD5 of its body", [...without("body_md5"), signature], {}, "Missing parameter: body_md5"],
    ["another body", [...parameters, signature], { body: "{}" }, "Invalid body_md5"],
    ["its body taken away", [...parameters, signature], { body: "" }, "Invalid body_md5"],
    ["no signature", parameters, {}, "Missing parameter: auth_signature"],
    [
      "a wrong signature",
      [...parameters, "auth_signature=00"],
      {},
      "Invalid signature: you should have sent",
    ],
    [
      "a clock ten minutes behind",
      [...parameters, signature],
      { at: example.timestamp + 600 },
      "Timestamp expired: Given timestamp (2012-11-16T17:49:39Z) not within 600s of server time (2012-11-16T17:59:39Z)",
    ],
    [
      "a clock ten minutes ahead",
      [...parameters, signature],
      { at: example.timestamp - 600 },
      "Timestamp expired: Given timestamp (2012-11-16T17:49:39Z) not within 600s of server time",
    ],
  ])(
    "§10.1a §10.1b §10.1e §10.1f §10.1g §10.1h a request with %s is answered 401",
    async (_what, query, options, message) => {
      const outcome = await post(query.join("&"), options)
      expect(outcome).toMatchObject({ status: 401, body: expect.stringContaining(message) })
    },
  )

  it("§10.1f a clock 599 seconds off is good enough", async () => {
    const query = [...parameters, signature].join("&")
    await expect(post(query, { at: example.timestamp + 599 })).resolves.toMatchObject({ status: 200 })
  })
})
