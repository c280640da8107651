import { resolve } from "node:path"
import { type Output, styled } from "../output.ts"
import { ownPackage } from "../package.ts"
import { Refusal } from "../refusal.ts"
import { checks, examine } from "./checks.ts"
import { readFacts } from "./facts.ts"

export interface DoctorOptions {
  cwd: string
  /** Reads `.env.production`, and asks for what production asks for. */
  production: boolean
}

/**
 * `throughline doctor`: what is wrong with how an app is set up, from its files alone. Exit code 1
 * when something has to be mended.
 */
export function doctor({ cwd, production }: DoctorOptions, output: Output): number {
  const folder = resolve(cwd)
  const isProduction = production || process.env.NODE_ENV === "production"
  const { peerDependencies: peerRanges } = ownPackage()
  const facts = readFacts({ folder, isProduction, environment: process.env, peerRanges })
  if (!facts.files.has("package.json"))
    throw new Refusal("there is no package.json here", "Run it in the folder of a Next.js app.")
  const findings = examine(facts)
  for (const { verdict, subject, detail, advice } of findings) {
    const mark = verdict === "failed" ? styled("red", "✗") : styled("yellow", "!")
    output.print(`${mark} ${subject} ${detail}\n  → ${advice}`)
  }
  const failed = findings.filter(({ verdict }) => verdict === "failed").length
  const looked = Object.keys(checks).length
  output.print(
    findings.length === 0
      ? `${styled("green", "✓")} Nothing is wrong: ${looked} things were looked at.`
      : `\n${failed} to mend, ${findings.length - failed} to look at`,
  )
  output.json({ findings })
  return failed > 0 ? 1 : 0
}
