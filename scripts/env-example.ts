import { writeFileSync } from "node:fs"
import { variables } from "../lib/env/schema.ts"

/** `.env.example`, made from the one schema: `node scripts/env-example.ts` writes it. */
export function envExample(): string {
  const entries = Object.entries(variables).map(
    ([name, { meaning, isSecret }]) => `# ${meaning}${isSecret ? " Secret." : ""}\n#${name}=\n`,
  )
  return `# Every variable that this app reads. In development none is needed.\n\n${entries.join("\n")}`
}

if (import.meta.main) writeFileSync(new URL("../.env.example", import.meta.url), envExample())
