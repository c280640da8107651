/**
 * `key=value,…`, the values escaped as in a URL, as https://opentelemetry.io/docs/specs/otel/protocol/exporter/ has it. Null for what isn't
 * that, or names what no header may be.
 */
export function readHeaderList(text: string): [string, string][] | null {
  try {
    const headers = text
      .split(",")
      .map((pair) => pair.split("="))
      .flatMap(([name = "", ...value]): [string, string][] =>
        name.trim() ? [[name.trim(), decodeURIComponent(value.join("=").trim())]] : [],
      )
    return [...new Headers(headers)].length > 0 ? headers : null
  } catch {
    return null
  }
}
