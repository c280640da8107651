import { styleText } from "node:util"
import type { Finding, Verdict } from "./finding.ts"

const marks: Record<Verdict, { sign: string; color: "green" | "yellow" | "red" | "gray" }> = {
  ok: { sign: "✓", color: "green" },
  warning: { sign: "!", color: "yellow" },
  failed: { sign: "✗", color: "red" },
  skipped: { sign: "–", color: "gray" },
}

/** A line for each finding, what to do below those that want it, and the sum. In colour where the terminal has it. */
export function renderReport(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ subject }) => subject.length))
  const lines = findings.flatMap(({ subject, verdict, detail, advice }) => {
    const { sign, color } = marks[verdict]
    const line = `${styleText(color, sign)} ${subject.padEnd(width)}  ${detail}`
    const indent = " ".repeat(width + 4)
    return advice ? [line, `${indent}${styleText("dim", `→ ${advice}`)}`] : [line]
  })
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length
  const failed = count("failed")
  const rest = [
    ...(count("warning") > 0 ? [`${count("warning")} to look at`] : []),
    ...(count("skipped") > 0 ? [`${count("skipped")} not looked at`] : []),
  ]
  const sum = failed > 0 ? `${failed} of ${findings.length} failed` : "Nothing failed"
  return [...lines, "", [sum, ...rest].join(", ")].join("\n")
}

/** 1 when something failed; warnings and what was left out are for people to judge. */
export const exitCodeOf = (findings: readonly Finding[]): number =>
  findings.some(({ verdict }) => verdict === "failed") ? 1 : 0
