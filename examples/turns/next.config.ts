import type { NextConfig } from "next"

// Without a file here Next.js would take that of a folder above. Types are checked with all of the repository.
export default { typescript: { ignoreBuildErrors: true } } satisfies NextConfig
