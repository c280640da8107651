import { globSync, readFileSync } from "node:fs"
import { cruise, type ICruiseResult } from "dependency-cruiser"
import { ESLint } from "eslint"

/** Where what browsers load begins, besides each `"use client"`: the doors of the contract that a page opens. */
const doors = ["realtime/client/index.ts", "realtime/react/index.ts", "realtime/providers/*/client.ts"]

/** The project's own files that reach a browser. A server action's don't: a page has its address only. */
export async function browserFiles(): Promise<string[]> {
  const marked = (directive: string) =>
    globSync("{app,examples/*/{app,realtime}}/**/*.{ts,tsx}").filter((path) =>
      readFileSync(path, "utf8").startsWith(`"${directive}"`),
    )
  const actions = marked("use server")
  const { output } = await cruise([...marked("use client"), ...globSync(doors)], {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: ["node_modules", ...actions] },
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".json"] },
  })
  return (output as ICruiseResult).modules
    .map(({ source }) => source)
    .filter((path) => /^(app|lib|realtime|examples)\/.*\.tsx?$/.test(path) && !actions.includes(path))
    .sort()
}

/** Says what of these files the browsers lack that `browserslist` in package.json names. */
export const createBrowserLint = () => new ESLint({ globInputPaths: false })

if (import.meta.main) {
  const eslint = createBrowserLint()
  const results = await eslint.lintFiles(await browserFiles())
  const formatter = await eslint.loadFormatter()
  console.log(await formatter.format(results))
  if (results.some(({ errorCount, warningCount }) => errorCount + warningCount > 0)) process.exitCode = 1
}
