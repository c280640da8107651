/** Strangers' words may be part of what is said: so many things are. */
const maxSaid = 20

/** Answers true when it is first asked about something, so that the log has one line of it; after very many things, false. */
export function createOnce(): (about: string) => boolean {
  const said = new Set<string>()
  return (about) => {
    if (said.has(about) || said.size >= maxSaid) return false
    said.add(about)
    return true
  }
}
