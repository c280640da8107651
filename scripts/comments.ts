import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"

/**
 * The formatter wraps code and leaves comments as they are: this says which lines of them are longer than its lines. Of the
 * folders given, or of the package.
 */
const { formatter } = JSON.parse(readFileSync("biome.json", "utf8")) as { formatter: { lineWidth: number } }
const folders = process.argv.length > 2 ? process.argv.slice(2) : ["realtime"]
const files = execFileSync("git", ["ls-files", ...folders], { encoding: "utf8" })
const isComment = /^\s*(\/\/(?! biome-ignore)|\/?\*)/

for (const file of files.split("\n").filter((name) => /\.tsx?$/.test(name))) {
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    if (!isComment.test(line) || line.length <= formatter.lineWidth) continue
    console.error(
      `${file}:${index + 1}: a comment of ${line.length} columns; wrap it at ${formatter.lineWidth}`,
    )
    process.exitCode = 1
  }
}
