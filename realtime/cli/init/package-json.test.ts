import { expect, it } from "vitest"
import { addToPackageJson, takeFromPackageJson } from "./package-json.ts"

const additions = {
  scripts: { doctor: "throughline doctor" },
  dependencies: { ably: "^2" },
  devDependencies: { emulators: "1" },
  browserslist: ["safari 16.4"],
}

it.each([
  ["two spaces", '{\n  "dependencies": {\n    "next": "16"\n  }\n}\n'],
  ["tabs, no line break at its end", '{\n\t"dependencies": {\n\t\t"next": "16"\n\t}\n}'],
  ["Windows' ends of lines", '{\r\n  "dependencies": {\r\n    "next": "16"\r\n  }\r\n}\r\n'],
  ["a byte order mark", '\uFEFF{\n  "dependencies": {\n    "next": "16"\n  }\n}\n'],
])("a package.json is added to as it is written: %s", (_, text) => {
  const after = addToPackageJson(text, additions)
  expect(JSON.parse(after.replace("\uFEFF", ""))).toEqual({
    dependencies: { ably: "^2", next: "16" },
    scripts: { doctor: "throughline doctor" },
    devDependencies: { emulators: "1" },
    browserslist: ["safari 16.4"],
  })
  expect(addToPackageJson(after, additions)).toBe(after)
  expect(takeFromPackageJson(after, text, after)).toBe(text)
})

it("keeps what was changed in it since", () => {
  const before = '{\n  "dependencies": {\n    "next": "16"\n  }\n}\n'
  const after = addToPackageJson(before, additions)
  const later = JSON.parse(after)
  later.dependencies.zustand = "5"
  later.dependencies.ably = "^3"
  later.browserslist = ["safari 17"]
  expect(JSON.parse(takeFromPackageJson(JSON.stringify(later), before, after))).toEqual({
    dependencies: { ably: "^3", next: "16", zustand: "5" },
    browserslist: ["safari 17"],
  })
  const own = '{ "browserslist": ["defaults"] }'
  expect(JSON.parse(addToPackageJson(own, additions)).browserslist).toEqual(["defaults"])
})
