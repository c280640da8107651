import { describe, expect, it } from "vitest"
import { verifySignature } from "./s3-server.ts"

/** The examples in Amazon's documents, by their own key. */
const example = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  body: new Uint8Array(),
  now: Date.parse("2013-05-24T00:00:10Z"),
}
const host = "examplebucket.s3.amazonaws.com"

describe("the verification of S3's signatures", () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  const address = new URL(
    `https://${host}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
  )

  it("takes the address that Amazon gives as an example, for as long as it is good", () => {
    const request = { method: "GET", headers: { host } }
    expect(() => verifySignature({ ...example, request, url: address })).not.toThrow()
    const late = { ...example, now: example.now + 86_400_000 }
    expect(() => verifySignature({ ...late, request, url: address })).toThrow("RequestExpired")
  })

  it("refuses it for another object, another method, another host and another key", () => {
    const request = { method: "GET", headers: { host } }
    const other = new URL(address.href.replace("test.txt", "other.txt"))
    const tried = [
      { ...example, request, url: other },
      { ...example, request: { ...request, method: "PUT" }, url: address },
      { ...example, request: { method: "GET", headers: { host: "elsewhere.example" } }, url: address },
      { ...example, secretAccessKey: "another", request, url: address },
    ]
    for (const each of tried) expect(() => verifySignature(each)).toThrow("SignatureDoesNotMatch")
  })

  // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  it("takes the signed headers that Amazon gives as an example", () => {
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    const headers = {
      ...{ host, range: "bytes=0-9", "x-amz-content-sha256": empty, "x-amz-date": "20130524T000000Z" },
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    }
    const url = new URL(`https://${host}/test.txt`)
    expect(() => verifySignature({ ...example, request: { method: "GET", headers }, url })).not.toThrow()
    const changed = { ...headers, range: "bytes=0-99" }
    expect(() => verifySignature({ ...example, request: { method: "GET", headers: changed }, url })).toThrow(
      "SignatureDoesNotMatch",
    )
  })
})
