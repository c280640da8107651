/**
 * Server: what of an address tells one customer of a provider from another. With IPv6 that is the network of
 * 64 bits: whoever has one of its addresses has all of them. IPv4 is itself, also where it is written as
 * IPv6. The port that some proxies write behind an address is left out. What is no address stays as it is.
 */
export function networkOf(address: string): string {
  const bare = address.replace(/^\[(.+)\](?::\d+)?$|^([\d.]+):\d+$/, "$1$2")
  const [plain = ""] = bare.split("%", 1)
  if (!/^[\da-f:.]+$/i.test(plain) || !URL.canParse(`http://[${plain}]`)) return bare
  const written = new URL(`http://[${plain}]`).hostname.slice(1, -1)
  const [head = [], tail = []] = written.split("::").map((part) => part.split(":").filter(Boolean))
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail]
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff")
    return groups
      .slice(6)
      .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
      .join(".")
  return `${groups.slice(0, 4).join(":")}::/64`
}
