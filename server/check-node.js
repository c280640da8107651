/**
 * Before a program: whether this Node.js runs it, and whether there is something to run. Plain JavaScript, so that an older Node.js says
 * so in a line, too, instead of failing at the first type.
 */
import { existsSync, readFileSync } from "node:fs"

const project = new URL("../", import.meta.url)
const { dependencies } = JSON.parse(readFileSync(new URL("package.json", project), "utf8"))
const wanted = Number.parseInt(dependencies.node.replace(/^\D+/, ""), 10)
const missing = Object.keys(dependencies).filter(
  (name) => !existsSync(new URL(`node_modules/${name}`, project)),
)

const problem =
  missing.length > 0
    ? `Not installed: ${missing.length > 3 ? `${missing.length} packages` : missing.join(", ")}. Run \`npm ci\` first.`
    : Number.parseInt(process.versions.node, 10) < wanted
      ? `This is Node.js ${process.versions.node}, and the servers need ${wanted}. \`npm ci\` has put it beside them: use npm start, or node_modules/.bin/node.`
      : null

if (problem) {
  process.stderr.write(`${problem}\n`)
  process.exit(1)
}
