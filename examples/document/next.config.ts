import type { NextConfig } from "next"

// Without a file here Next.js would take that of a folder above. Types are checked with all of the repository.
const typescript = { ignoreBuildErrors: true }
// A server has two bundles, of pages and of what is in their HTML: both are to use one copy of Yjs.
export default { serverExternalPackages: ["yjs"], typescript } satisfies NextConfig
