import { ablyError } from "./errors.ts"

export interface ChannelName {
  /** As the client wrote it; frames to that client carry this. */
  wire: string
  /** Without qualifier: names the channel itself. */
  base: string
  /** `[meta]` and the like. */
  qualifier?: string
  /** `[filter=…]` (a derived channel), decoded. */
  filter?: string
  /** `[?rewind=1]`: params within the name. */
  params: Record<string, string>
  /** Before the first colon; decides the rules that apply. */
  namespace: string
}

/** §5.1: `[qualifier?param=value]base`. An invalid name is 40010 and leaves the connection alone. */
export function parseChannelName(wire: string): ChannelName {
  const match = /^(?:\[([^\]]*)\])?(.*)$/s.exec(wire)
  const base = match?.[2] ?? ""
  if (!base || base.startsWith(":") || base.startsWith("[") || /[\r\n]/.test(base) || wire.length > 2048) {
    throw ablyError(40010, `invalid channel name: ${JSON.stringify(wire)}`)
  }
  const [qualifier = "", query = ""] = (match?.[1] ?? "").split("?", 2)
  const name: ChannelName = {
    wire,
    base,
    params: Object.fromEntries(new URLSearchParams(query)),
    namespace: base.includes(":") ? base.slice(0, base.indexOf(":")) : base,
  }
  if (qualifier.startsWith("filter=")) {
    name.filter = Buffer.from(qualifier.slice("filter=".length), "base64").toString("utf8")
  } else if (qualifier) {
    name.qualifier = qualifier
    name.base = `[${qualifier}]${base}`
  }
  return name
}
