import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { makeFolder } from "../testing.ts"
import { readTree } from "./tree.ts"

describe("which browsers are built for, as something outside of the app's folder says", () => {
  const app = { "web/apps/site/package.json": "{}" }
  const workspace = { ...app, "web/package.json": '{ "workspaces": ["apps/*"] }' }
  const named = '{ "workspaces": ["apps/*"], "browserslist": ["safari 16.4"] }'

  it.each<[string, boolean, Record<string, string>, Record<string, string>]>([
    ["nothing", false, workspace, {}],
    ["the workspace's package.json", true, { ...workspace, "web/package.json": named }, {}],
    ["a file of the workspace", true, { ...workspace, "web/.browserslistrc": "safari 16.4" }, {}],
    ["one of the other name", true, { ...workspace, "web/browserslist": "safari 16.4" }, {}],
    [
      "a folder between, in a workspace of pnpm's",
      true,
      { ...app, "web/pnpm-workspace.yaml": "", "web/apps/browserslist": "safari 16.4" },
      {},
    ],
    ["the repository's root", true, { ...app, "web/.git/HEAD": "", "web/browserslist": "safari 16.4" }, {}],
    ["a folder above the workspace", false, { ...workspace, browserslist: "safari 16.4" }, {}],
    ["a folder above, of no workspace", false, { ...app, "web/browserslist": "safari 16.4" }, {}],
    [
      "a folder above an app that is a repository",
      false,
      { ...workspace, "web/browserslist": "safari 16.4", "web/apps/site/.git/HEAD": "" },
      {},
    ],
    [
      "a package.json that isn't JSON",
      false,
      { ...workspace, "web/apps/package.json": "{ browserslist" },
      {},
    ],
    ["the app's own alone", false, { ...workspace, "web/apps/site/browserslist": "safari 16.4" }, {}],
    ["BROWSERSLIST", true, app, { BROWSERSLIST: "safari 16.4" }],
    ["BROWSERSLIST_CONFIG", true, app, { BROWSERSLIST_CONFIG: "./browsers" }],
    ["BROWSERSLIST that is empty", false, app, { BROWSERSLIST: "" }],
  ])("%s: %s", (_, expected, files, environment) => {
    using place = makeFolder(files)
    expect(readTree(join(place.folder, "web/apps/site"), environment).hasBrowsersOutside).toBe(expected)
  })
})
