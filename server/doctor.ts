import { parseArgs } from "node:util"
import nextEnv from "@next/env"
import { examine } from "#lib/doctor/examine.ts"
import { exitCodeOf, renderReport } from "#lib/doctor/report.ts"
import { developmentSecrets } from "#lib/env/development.ts"
import { projectDir } from "./env.ts"

/**
 * `npm run doctor`: what this environment leads to, tried for real, and what to do about what fails. Exit code 1 when something
 * failed. `--json` for programs; `--production` reads `.env.production` and asks for what production asks for; `--url` names an app
 * that runs elsewhere with these variables.
 */
const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    production: { type: "boolean", default: false },
    url: { type: "string" },
  },
})
const address = values.url === undefined ? null : URL.parse(values.url)
if (values.url !== undefined && !/^https?:$/.test(address?.protocol ?? "")) {
  console.error("--url wants the address at which people open the app, as in https://chat.example")
  process.exit(1)
}

const dev = process.env.NODE_ENV !== "production" && !values.production
Object.assign(process.env, { NODE_ENV: dev ? "development" : "production" })
nextEnv.loadEnvConfig(projectDir, dev, { info: () => {}, error: console.error })
const source = dev ? { ...process.env, ...developmentSecrets(process.env) } : process.env

// Standard output is the report's alone; libraries talk there, too.
const print = console.log
console.log = console.error
const findings = await examine(source, { url: address?.origin })
print(values.json ? JSON.stringify(findings, null, 2) : renderReport(findings))
process.exit(exitCodeOf(findings))
