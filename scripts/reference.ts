import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { RealtimeError, type RealtimeErrorCode } from "throughline"
import { statusOf } from "throughline/server"
import ts from "typescript"
import { type Declaration, printNode, readSurface, type Surface, type SurfaceDoor } from "./api-surface.ts"
import { anchorOf } from "./markdown.ts"
import { packOnce } from "./pack.ts"
import { projectDir } from "./run.ts"

export const referenceDir = join(projectDir, "docs/reference")

/** What each door is for, at the top of its page. */
const doorIntros: Record<string, string> = {
  throughline: "The vocabulary of both ends: channels, messages, errors, and what a provider implements.",
  "throughline/client": "The browser's half of the contract, without React.",
  "throughline/react": "Hooks and components over the browser's half.",
  "throughline/server": "The server's half by hand: authorize, validate, append, deliver.",
  "throughline/next":
    "The realtime layer of a Next.js app, made of its environment. [Adopting](../guides/adopting.md) goes through it.",
  "throughline/log/sqlite": "Messages in a file of SQLite, by Node's own.",
  "throughline/log/postgres": "Messages in PostgreSQL.",
  "throughline/socketio/client": "The browser's half of the bundled Socket.IO gateway.",
  "throughline/socketio/server": "Publishes to a gateway in another process.",
  "throughline/socketio/gateway":
    "The bundled Socket.IO gateway, on a server of HTTP that somebody else owns.",
  "throughline/pusher/client": "The browser's half of Pusher.",
  "throughline/pusher/server": "The server's half of Pusher.",
  "throughline/ably/client": "The browser's half of Ably.",
  "throughline/ably/server": "The server's half of Ably.",
  "throughline/yjs":
    "A document of Yjs that everybody in a channel writes to. [Documents](../guides/documents.md) goes through it.",
  "throughline/yjs/react": "Hooks for such documents.",
  "throughline/yjs/server": "The snapshots of such documents.",
  "throughline/testing":
    "The contracts that [a provider](../guides/writing-a-provider.md) or [a log](../guides/writing-a-log.md) has to pass, and what their tests need.",
  "throughline-emulators/ably": "Ably on this machine, started from code.",
  "throughline-emulators/ably/msw": "Ably at its own host names, within one process, by msw.",
  "throughline-emulators/cli": "The command `throughline-emulators`, from code.",
  "throughline-emulators/pusher": "Pusher Channels on this machine, started from code.",
  "throughline-emulators/pusher/msw": "Pusher Channels at its own host names, within one process, by msw.",
}

/** What a caller hands in is told option by option. */
const isOptionBag = ({ name }: Declaration) =>
  /(Options|Props|Setup|Settings|Declarations|Contract)$/.test(name)

type Member =
  | ts.PropertySignature
  | ts.MethodSignature
  | ts.PropertyDeclaration
  | ts.MethodDeclaration
  | ts.CallSignatureDeclaration

const isMember = (node: ts.Node): node is Member =>
  ts.isPropertySignature(node) ||
  ts.isMethodSignature(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isCallSignatureDeclaration(node)

/** What a doc comment says, which is Markdown. */
const withoutStars = (comment: string) =>
  comment
    .replace(/^\/\*\*[ \t]*|\s*\*\/$/g, "")
    .replace(/^[ \t]*\* ?/gm, "")
    .trim()

/** The doc comment of a node as Markdown; "" where there is none. */
function docOf(node: ts.Node): string {
  const comment = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)
  if (!comment) return ""
  return withoutStars(comment.getText())
}

/** The doc comment of a declaration, which stands over one of its overloads. */
const docOfAll = ({ statements }: Declaration) => statements.map(docOf).find(Boolean) ?? ""

const isFunctionLike = (node: ts.Node): node is ts.SignatureDeclaration =>
  ts.isMethodSignature(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isCallSignatureDeclaration(node) ||
  ts.isFunctionDeclaration(node)

/**
 * What a node has members by, those of an object that is written out in a parameter or a type included. What a call resolves
 * with, and what a callback is given, is told over them, and nobody looks for it by a path; what a conditional type asks
 * about isn't a member of anything.
 */
function membersOf(node: ts.Node, path = ""): { path: string; member: Member }[] {
  const found: { path: string; member: Member }[] = []
  const visit = (child: ts.Node) => {
    if (ts.isFunctionTypeNode(child) || ts.isConditionalTypeNode(child)) return
    if (!isMember(child)) {
      found.push(...membersOf(child, path))
      return
    }
    const name = "name" in child && child.name ? child.name.getText() : ""
    if (ts.getCombinedModifierFlags(child) & ts.ModifierFlags.Private) return
    found.push({ path: path + name, member: child })
    if (name) found.push(...membersOf(child, `${path}${name}.`))
  }
  if (isFunctionLike(node)) node.parameters.forEach(visit)
  else ts.forEachChild(node, visit)
  return found
}

/** Only what is written out is taken apart: a type that the compiler inferred was told elsewhere. */
const writtenMembers = ({ statements }: Declaration) =>
  statements.flatMap((statement) => (ts.isVariableStatement(statement) ? [] : membersOf(statement)))

/** The options that a function takes in an object which its signature writes out. */
const inlineOptions = ({ statements }: Declaration) =>
  statements
    .filter(ts.isFunctionDeclaration)
    .flatMap(({ parameters }) => parameters.map(({ type }) => type))
    .flatMap((type) => (type && ts.isTypeLiteralNode(type) ? membersOf(type) : []))

/** One of the alternatives of a union: the doc comment over it, or over the union, tells its members too. */
const isOfAlternative = (node: ts.Node): boolean =>
  ts.isTypeLiteralNode(node.parent) && ts.isUnionTypeNode(withoutParentheses(node.parent.parent))

const withoutParentheses = (node: ts.Node): ts.Node =>
  ts.isParenthesizedTypeNode(node) ? withoutParentheses(node.parent) : node

/**
 * What a person would look for and not find: exported names without a doc comment, members of theirs without one,
 * and options without one. What a function takes in an object that its signature writes out may be told in the
 * function's.
 */
export function undocumented({ doors, declarations }: Surface): string[] {
  const exported = new Set(doors.flatMap(({ names }) => [...names.values()]))
  return [...declarations.values()].flatMap((declaration) => {
    const told = docOfAll(declaration)
    const isExported = exported.has(declaration.key)
    const isFunction = declaration.statements.some(ts.isFunctionDeclaration)
    // What a member consists of is told over it.
    const members = isFunction
      ? inlineOptions(declaration).filter(({ path }) => !told.includes(`\`${path}`))
      : isExported || isOptionBag(declaration)
        ? writtenMembers(declaration).filter(
            ({ path, member }) => !path.includes(".") && !isOfAlternative(member),
          )
        : []
    const missing = members
      .filter(({ member }) => !docOf(member))
      .map(({ path }) => `${declaration.key}, ${path}`)
    return isExported && told === "" ? [declaration.key, ...missing] : missing
  })
}

const pageOf = (door: string): string => `${door.replaceAll("/", "-")}.md`

/** A signature in one line, where it fits. */
const oneLine = (text: string) => text.replace(/\s+/g, " ").replace(/;$/, "").replaceAll(";}", "}")

function signatureOf({ statements, text, name }: Declaration): string {
  const [statement] = statements
  const bare = text.replace(/^export declare |^export |^declare /gm, "")
  if (statement && (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)))
    return `${bare.slice(0, bare.indexOf("{")).trim()} { … }`
  if (statement && ts.isVariableStatement(statement) && bare.split("\n").length > 12)
    return `const ${name}: { … }`
  return bare
}

/** A signature that is too long for a line, with a line for each parameter. */
function blockOf(member: Member): string {
  if (!("parameters" in member) || member.parameters.length === 0) return printNode(member).replace(/;$/, "")
  const types = member.typeParameters ? `<${member.typeParameters.map(printNode).join(", ")}>` : ""
  const parameters = member.parameters.map((parameter) => `  ${oneLine(printNode(parameter))},`)
  const name = "name" in member && member.name ? member.name.getText() : ""
  const result = member.type ? `: ${oneLine(printNode(member.type))}` : ""
  return [`${name}${types}(`, ...parameters, `)${result}`].join("\n")
}

function memberLine({ path, member }: { path: string; member: Member }): string {
  const whole = oneLine(printNode(member))
  const name = "name" in member && member.name ? member.name.getText() : ""
  const parts = path.slice(0, path.length - name.length)
  const signature = `${parts}${whole.replace(/^readonly /, "")}`
  const doc = docOf(member)
  if (signature.length <= 160) return `- \`${signature}\`${doc && `  \n  ${doc.replaceAll("\n", "\n  ")}`}`
  const block = `- \`${path || "(…)"}\`\n\n\`\`\`ts\n${blockOf(member)}\n\`\`\`${doc && `\n\n${doc}`}`
  return block.replace(/\n(?=[^\n])/g, "\n  ")
}

interface Place {
  page: string
  anchor: string
}

/** What stands on the page of a door, in the order of the page. */
interface Sections {
  called: Declaration[]
  types: Declaration[]
  /** Named by the others, and exported by no door. */
  hidden: Declaration[]
}

const isCalled = ({ statements }: Declaration) =>
  statements.some((statement) => ts.isFunctionDeclaration(statement) || ts.isVariableStatement(statement))

/** Links the codes of errors that a doc comment names, and leaves code as it is. */
const linkCodes = (text: string, codes: ReadonlySet<string>) =>
  text.replace(/```[\s\S]*?```|`([\w-]+)`/g, (match, code: string | undefined) =>
    code?.includes("-") && codes.has(code) ? `[${match}](errors.md#${code})` : match,
  )

function renderDoor(
  door: SurfaceDoor,
  { called, types, hidden }: Sections,
  places: ReadonlyMap<string, Place>,
  declarations: ReadonlyMap<string, Declaration>,
): string {
  const page = pageOf(door.name)
  const linkTo = (key: string): string => {
    const place = places.get(key)
    const { name } = declarations.get(key) ?? { name: key }
    return place ? `[${name}](${place.page === page ? "" : place.page}#${place.anchor})` : name
  }
  const render = (declaration: Declaration) => {
    const refers = [...declaration.refersTo].map(linkTo).filter((link) => link.startsWith("["))
    return [
      `### ${declaration.name}`,
      `\`\`\`ts\n${signatureOf(declaration)}\n\`\`\``,
      docOfAll(declaration),
      writtenMembers(declaration).map(memberLine).join("\n"),
      refers.length > 0 ? `See ${refers.join(", ")}.` : "",
    ]
      .filter(Boolean)
      .join("\n\n")
  }
  const section = (title: string, chosen: readonly Declaration[]) =>
    chosen.length > 0 ? [`## ${title}`, ...chosen.map(render)] : []
  const elsewhere = [...door.names].filter(([, key]) => places.get(key)?.page !== page)
  const intro = doorIntros[door.name]
  if (!intro) throw new TypeError(`unable to write the page of ${door.name}; nothing says what it is for`)
  return [
    `# ${door.name}`,
    "<!-- Made by `node scripts/reference.ts` from the doc comments. -->",
    intro,
    ...section("Functions and values", called),
    ...section("Types", types),
    ...(elsewhere.length > 0
      ? ["## Exported here too", elsewhere.map(([, key]) => `- ${linkTo(key)}`).join("\n")]
      : []),
    ...section("Named by these, and not exported", hidden),
  ].join("\n\n")
}

/** The codes of errors, in their order, and what the comment over each says. */
export function readErrorCodes(): Map<RealtimeErrorCode, string> {
  const path = join(projectDir, "realtime/errors.ts")
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)
  const codes = new Map<RealtimeErrorCode, string>()
  const take = (node: ts.Node): void => {
    if (!ts.isStringLiteral(node)) {
      ts.forEachChild(node, take)
      return
    }
    const [comment] = ts.getLeadingCommentRanges(source.text, node.pos) ?? []
    const told = comment ? source.text.slice(comment.pos, comment.end) : ""
    codes.set(node.text as RealtimeErrorCode, withoutStars(told))
  }
  const visit = (node: ts.Node): void => {
    const isList = ts.isVariableDeclaration(node) && node.name.getText() === "realtimeErrorCodes"
    ts.forEachChild(node, isList ? take : visit)
  }
  visit(source)
  return codes
}

function renderErrors(codes: ReadonlyMap<RealtimeErrorCode, string>): string {
  const sections = [...codes].map(([code, told]) => {
    const error = new RealtimeError(code, { message: "" })
    const facts = `HTTP ${statusOf(error)}, ${error.retryable ? "may succeed by itself when tried again" : "not to be tried again as it is"}.`
    return `## ${code}\n\n${told}\n\n*${facts}*`
  })
  return [
    "# Errors, by code",
    "<!-- Made by `node scripts/reference.ts` from the doc comments in realtime/errors.ts. -->",
    "Every failure is a [RealtimeError](throughline.md#realtimeerror). Recognise it by `isRealtimeError(value)`, branch on `code`, and show people a text of your own: messages may be reworded at any time. `retryable` says whether the same call may succeed by itself, `retryAfterMs` when.",
    ...sections,
  ].join("\n\n")
}

/** The pages, by their file name. */
export function renderReference(surfaces: readonly Surface[]): Map<string, string> {
  const codes = readErrorCodes()
  const pages = new Map<string, string>()
  const index: string[] = []
  for (const { doors, declarations } of surfaces) {
    // A declaration has its place on the page of the first door that exports it, else of the first that leads to it.
    const settled = new Set<string>()
    const sectionsOf = new Map<string, Sections>(
      doors.map((door) => [door.name, { called: [], types: [], hidden: [] }]),
    )
    const settle = (key: string, door: string, isExported: boolean) => {
      const declaration = declarations.get(key)
      if (!declaration || settled.has(key)) return
      settled.add(key)
      const section = isExported ? (isCalled(declaration) ? "called" : "types") : "hidden"
      sectionsOf.get(door)?.[section].push(declaration)
    }
    for (const { name, names } of doors) for (const key of names.values()) settle(key, name, true)
    const reach = (key: string, door: string) => {
      for (const other of declarations.get(key)?.refersTo ?? []) {
        if (settled.has(other)) continue
        settle(other, door, false)
        reach(other, door)
      }
    }
    for (const { name, names } of doors) for (const key of names.values()) reach(key, name)
    // Equal headings are numbered from the top of a page, so only now.
    const places = new Map<string, Place>()
    for (const [door, { called, types, hidden }] of sectionsOf) {
      const taken = new Set([anchorOf(door, new Set())])
      for (const { key, name } of [...called, ...types, ...hidden]) {
        const anchor = anchorOf(name, taken)
        taken.add(anchor)
        places.set(key, { page: pageOf(door), anchor })
      }
    }
    for (const door of doors) {
      const sections = sectionsOf.get(door.name)
      if (!sections) continue
      const text = renderDoor(door, sections, places, declarations)
      pages.set(pageOf(door.name), `${linkCodes(text, new Set(codes.keys()))}\n`)
      index.push(`| [${door.name}](${pageOf(door.name)}) | ${doorIntros[door.name]} |`)
    }
  }
  pages.set("errors.md", `${linkCodes(renderErrors(codes), new Set(codes.keys()))}\n`)
  const head =
    "# Reference\n\n<!-- Made by `node scripts/reference.ts` from the doc comments. -->\n\nEach door of both packages, and [every error code](errors.md).\n\n| door | |\n| --- | --- |"
  return pages.set("README.md", `${[head, ...index].join("\n")}\n`)
}

/** Writes the reference anew: `node scripts/reference.ts`. */
if (import.meta.main) {
  const surfaces = Object.values(await packOnce()).map(readSurface)
  const missing = surfaces.flatMap(undocumented)
  for (const name of missing) console.error(`without a doc comment: ${name}`)
  if (missing.length > 0) process.exitCode = 1
  rmSync(referenceDir, { recursive: true, force: true })
  mkdirSync(referenceDir, { recursive: true })
  for (const [name, text] of renderReference(surfaces)) writeFileSync(join(referenceDir, name), text)
}
