/**
 * Appends what is missing of `lines`, each below its comment. The text as it
 * was, to the byte, when nothing is.
 */
export function addToEnvFile(
  text: string,
  lines: readonly { name: string; value: string; comment: string }[],
): string {
  const missing = lines.filter(({ name }) => !new RegExp(`^\\s*(export\\s+)?${name}\\s*=`, "m").test(text))
  if (missing.length === 0) return text
  const end = text.includes("\r\n") ? "\r\n" : "\n"
  const gap = text === "" ? "" : text.endsWith("\n") ? end : end + end
  return (
    text +
    gap +
    missing.map(({ name, value, comment }) => `# ${comment}${end}${name}=${value}${end}`).join("")
  )
}
