import parser from "@typescript-eslint/parser"
import compat from "eslint-plugin-compat"
import es from "eslint-plugin-es-x"

const insecure = "Over plain HTTP, as at an address of the local network, there is none."

const rulesOf = (...names) => Object.assign({}, ...names.map((name) => es.configs[`flat/${name}`].rules))

/**
 * Biome lints; this says only what the browsers of package.json's `browserslist` lack, or lack over plain HTTP, of the files that reach
 * one: `scripts/browsers.ts` runs it on those.
 */
export default [
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { parser, parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: false },
    plugins: { compat, "es-x": es },
    // Next.js brings it to those who lack it.
    settings: { polyfills: ["URL.canParse"] },
    rules: {
      "compat/compat": "error",
      // Of the DOM's constructors that table knows no methods.
      "no-restricted-properties": [
        "error",
        { object: "AbortSignal", property: "any", message: "Firefox 111 and Safari 16.4 lack it." },
        { object: "URL", property: "parse", message: "None of the browsers that are served has it." },
        ...["randomUUID", "subtle"].map((property) => ({ object: "crypto", property, message: insecure })),
        ...["clipboard", "serviceWorker", "storage"].map((property) => ({
          object: "navigator",
          property,
          message: insecure,
        })),
      ],
      ...rulesOf("restrict-to-es2022", "restrict-to-es2022-intl-api", "no-explicit-resource-management"),
      // Of 2023, and all of them have it.
      "es-x/no-array-prototype-findlast-findlastindex": "off",
    },
  },
]
