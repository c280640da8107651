import type { TestInfo } from "@playwright/test"
import { type Figure, figureAnnotation } from "../scripts/report.ts"

/** Hands what was measured to the summary of `npm test`, which prints it in a table. */
export function record(testInfo: TestInfo, figure: Figure): void {
  testInfo.annotations.push({ type: figureAnnotation, description: JSON.stringify(figure) })
}
