/**
 * Before a program: whether this Node.js runs it, and in a line what it lacks. Plain JavaScript, so that an older Node.js says so in a
 * line, too, instead of failing at the first type. What it compiles is kept, so that the next start takes half as long.
 */
import { existsSync, readFileSync } from "node:fs"
import * as nodeModule from "node:module"
import { fileURLToPath } from "node:url"

const { dependencies, devDependencies } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
)
const wanted = Number.parseInt(dependencies.node.replace(/^\D+/, ""), 10)

function fail(problem) {
  process.stderr.write(`${problem}\n`)
  process.exit(1)
}

if (Number.parseInt(process.versions.node, 10) < wanted) {
  const folders = nodeModule.createRequire(import.meta.url).resolve.paths("node")
  const own = folders.map((folder) => `${folder}/.bin/node`).find((path) => existsSync(path))
  const where = own ? `use npm start, or ${own}` : "`npm ci` puts it beside them, without --ignore-scripts"
  fail(`This is Node.js ${process.versions.node}, and the servers need ${wanted}: ${where}.`)
}

// What a program imports is what it needs, and Node.js knows best where that may be.
process.on("uncaughtExceptionMonitor", ({ code, message }) => {
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return
  const [, name] =
    /^Cannot find (?:package|module) '((?:@[\w.-]+\/)?\w[\w.-]*)(?:\/[^']*)?'/.exec(message) ?? []
  if (name in devDependencies)
    fail(`Not installed: ${name}, which only development needs. Run \`npm ci --include=dev\` first.`)
  if (name) fail(`Not installed: ${name}. Run \`npm ci\` first.`)
})

// In a folder that nobody else may write to, as the default in the system's temporary one isn't. Where it can't be written it isn't used;
// `NODE_COMPILE_CACHE`, which comes first, names another, as the unit and the image do, whose `node_modules` aren't theirs to write.
nodeModule.enableCompileCache(
  fileURLToPath(new URL("../node_modules/.cache/throughline/compiled", import.meta.url)),
)
