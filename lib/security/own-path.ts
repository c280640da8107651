/** A site that nobody has, of a scheme that no link has: where the base is `http:`, `http:elsewhere` is a path of it. */
const anySite = "ws://site.invalid"

/**
 * Where an address leads on this site: path, query and fragment as the parser made them, plain ASCII without control characters. Undefined
 * where it leads elsewhere, nowhere, or isn't given. It is for addresses that come from outside, before somebody is sent there: a pattern
 * would judge another text than the browser follows, which skips tabs and takes `\` for `/`.
 *
 * `site` is this site's origin, where absolute addresses are taken too; by default paths are taken alone.
 */
export function ownPath(address: unknown, site: string = anySite): string | undefined {
  if (typeof address !== "string" || address === "" || !URL.canParse(address, site)) return undefined
  const url = new URL(address, site)
  if (url.origin !== new URL(site).origin) return undefined
  const path = url.pathname + url.search + url.hash
  // `/.//elsewhere` is a path of this site, and what is left of it isn't: it begins with two slashes.
  return URL.canParse(path, site) && new URL(path, site).href === url.href ? path : undefined
}
