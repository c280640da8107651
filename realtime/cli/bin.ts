#!/usr/bin/env node
import { versions } from "node:process"

/**
 * `npx throughline`: nothing is loaded before it is known that this Node.js runs it, so
 * that an older one says so in a line.
 */
const least = [22, 13] as const

const [major = 0, minor = 0] = versions.node.split(".").map(Number)
if (major > least[0] || (major === least[0] && minor >= least[1])) {
  const { main } = await import("./main.ts")
  process.exitCode = await main(process.argv.slice(2))
} else {
  console.error(`throughline: this is Node.js ${versions.node}, and ${least.join(".")} or newer is needed.`)
  process.exitCode = 1
}
