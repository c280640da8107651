/**
 * Which folder may import which: the table of ARCHITECTURE.md, as rules. A cycle, or an arrow that points the other
 * way, is a design remark: move the shared piece down into a root file rather than adding an exception here.
 */
const tests = "\\.(contract\\.|live\\.|system\\.)?test\\.tsx?$|\\.test-d\\.ts$|\\.bench\\.ts$"
const anyProvider = "^realtime/providers/"
const neverShipped = "^(emulators|realtime/(testing|bench)|(app|server|lib/[^/]+)/testing)/"

/** @param {string[]} paths */
const any = (...paths) => paths.join("|")

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycle",
      comment:
        "Move what both need, types too, into a file that imports neither, as emulators/ably/model.ts is.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "The file or package isn't there: correct the path, or add the package to package.json.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-undeclared-package",
      comment: "It is installed only because something else needs it: add it to package.json.",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-test-tool-in-what-ships",
      comment:
        "What ships uses `dependencies` only: move the package there, or the file to testing/ or scripts/.",
      severity: "error",
      from: { path: "^(app|lib|realtime|server)/", pathNot: any(tests, neverShipped, "/__fixtures__/") },
      // `npm run dev` alone loads pino-pretty. The emulators are an optional peer, for development. Other peers
      // are installed by the apps that use them.
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["type-only", "npm-peer"],
        pathNot: "node_modules/(@types|pino-pretty)/|^emulators/",
      },
    },
    {
      name: "nothing-that-ships-imports-tests",
      comment:
        "testing/, bench/ and emulators/ are for tests and development: move what is shared to a root file.",
      severity: "error",
      from: {
        path: "^(app|lib|realtime|server)/",
        pathNot: any(tests, neverShipped, "^server/(dev|emulator)[^/]*\\.ts$", "^realtime/next/peers\\.ts$"),
      },
      to: { path: neverShipped },
    },
    {
      name: "realtime-stands-alone",
      comment: "realtime/ is written as if published tomorrow: hand in what it needs as an option.",
      severity: "error",
      from: { path: "^realtime/" },
      to: { path: "^(app|lib|server|e2e|scripts)/" },
    },
    {
      name: "realtime-by-its-doors",
      comment:
        'Import a door of the package ("throughline", "throughline/client", …) as a stranger would, not a file behind it.',
      severity: "error",
      // Tests, and what they share, have the reference provider, which has no door.
      from: { path: "^(app|examples|lib|server)/", pathNot: any(tests, "^app/testing/") },
      to: {
        path: "^(realtime|emulators)/",
        pathNot: any(
          "^realtime/index\\.ts$",
          "^realtime/(client|next|react|server|testing|yjs)/index\\.ts$",
          "^realtime/yjs/(react|server)\\.ts$",
          "^emulators/[^/]+/index\\.ts$",
          "^realtime/log/(sqlite|postgres)\\.ts$",
          "^realtime/providers/[^/]+/(client|server|gateway)\\.ts$",
        ),
      },
    },
    {
      name: "examples-stand-alone",
      comment:
        "An example is a stranger's app: it has the package's doors and its own folder, and shares no code.",
      severity: "error",
      from: { path: "^examples/([^/]+)/" },
      to: { path: "^(app|e2e|emulators|examples|lib|scripts|server)/", pathNot: "^examples/$1/" },
    },
    {
      name: "lib-below-app-and-server",
      comment: "lib/ is what app/ and server/ share: hand the value in, or move the code down into lib/.",
      severity: "error",
      from: { path: "^lib/" },
      to: { path: "^(app|server)/" },
    },
    {
      name: "app-and-server-apart",
      comment: "app/ is a bundle of Next.js, server/ is plain Node: what both need belongs in lib/.",
      severity: "error",
      from: { path: "^(app|server)/" },
      to: { path: "^(app|server)/", pathNot: "^$1/" },
    },
    {
      name: "no-server-only-in-plain-node",
      comment: "`server-only` throws in plain Node: keep it out of realtime/, server/ and what these import.",
      severity: "error",
      from: { path: "^(realtime|server)/", pathNot: tests },
      to: { path: "node_modules/server-only/", reachable: true },
    },
    {
      name: "root-is-pure",
      comment:
        "realtime/'s root files run anywhere: no SDK, no node:*, no React. Take it to client/, server/ or a provider.",
      severity: "error",
      from: { path: "^realtime/[^/]+\\.ts$", pathNot: tests },
      to: {
        pathNot: any("^realtime/[^/]+\\.ts$", "node_modules/@standard-schema/", "node_modules/uuid/"),
      },
    },
    {
      name: "providers-apart",
      comment: "A provider knows no other one: move what both need to a root file of realtime/.",
      severity: "error",
      from: { path: "^realtime/providers/([^/]+)/", pathNot: tests },
      to: { path: anyProvider, pathNot: "^realtime/providers/$1/" },
    },
    {
      name: "providers-know-the-root-only",
      comment:
        "A provider implements the interfaces of realtime/'s root files; the halves above it import it, not the reverse.",
      severity: "error",
      from: { path: anyProvider, pathNot: tests },
      to: { path: "^realtime/(client|react|log|server)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "mapping-is-pure",
      comment: "mapping.ts only translates: no node:*, and of the vendor's SDK only types.",
      severity: "error",
      from: { path: "^realtime/providers/[^/]+/mapping\\.ts$" },
      to: {
        dependencyTypes: ["npm", "npm-dev", "core"],
        dependencyTypesNot: ["type-only"],
        pathNot: "node_modules/(uuid|@noble)/",
      },
    },
    {
      name: "client-half-without-server-half",
      comment: "The browser must not download the server's half: move what both need to mapping.ts.",
      severity: "error",
      from: { path: "^realtime/providers/[^/]+/client\\.ts$" },
      to: {
        path: "^realtime/(server|log)/|/(server|gateway|tickets|internal-endpoint)\\.ts$",
        reachable: true,
      },
    },
    {
      name: "client-half-without-node",
      comment:
        "This file runs in a browser: use what both Node and browsers have (Web Crypto, fetch, TextEncoder).",
      severity: "error",
      from: { path: "^realtime/(client|react)/|^realtime/providers/[^/]+/client\\.ts$", pathNot: tests },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "server-half-without-client-half",
      comment: "The server's half doesn't load the browser's SDK: move what both need to mapping.ts.",
      severity: "error",
      from: { path: "^realtime/providers/[^/]+/(server|gateway)\\.ts$" },
      to: {
        path: "^realtime/(client|react)/|^realtime/providers/[^/]+/client\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "halves-know-no-provider",
      comment: "A transport or a publisher is handed in: take an option instead of importing a provider.",
      severity: "error",
      from: { path: "^realtime/(client|react|server|log)/", pathNot: tests },
      to: { path: anyProvider },
    },
    {
      name: "halves-apart",
      comment:
        "client/ and react/ run in browsers, server/ and log/ on servers: what both need is a root file.",
      severity: "error",
      from: { path: "^realtime/(client|react)/", pathNot: tests },
      to: { path: "^realtime/(server|log)/" },
    },
    {
      name: "server-half-without-the-browsers",
      comment: "next/, server/ and log/ need nothing of a browser: what both need is a root file.",
      severity: "error",
      from: { path: "^realtime/(next|server|log)/", pathNot: tests },
      to: { path: "^realtime/(client|react)/" },
    },
    {
      name: "client-knows-no-react",
      comment: "client/ serves every framework: what needs React is in react/.",
      severity: "error",
      from: { path: "^realtime/client/", pathNot: tests },
      to: { path: "^realtime/react/|node_modules/react" },
    },
    {
      name: "emulators-share-nothing-of-ours",
      comment:
        "An emulator that shared our mapping would share our mistake: read the vendor's protocol and write it anew.",
      severity: "error",
      from: { path: "^emulators/" },
      to: {
        path: "^(app|lib|server|realtime)/",
        // Tools of tests, which know nothing of either service.
        pathNot: "^realtime/testing/(chance|fuzz/(inputs|wire)|send-much|wait-for|soketi)\\.ts$",
      },
    },
    {
      name: "emulators-apart",
      comment: "One emulator knows nothing of the other: move what both need beside their folders.",
      severity: "error",
      from: { path: "^emulators/(ably|pusher)/" },
      to: { path: "^emulators/(ably|pusher)/", pathNot: "^emulators/$1/" },
    },
    {
      name: "emulators-without-the-vendor",
      comment:
        "The vendor's SDK proves an emulator, in its tests; the emulator itself speaks the protocol alone.",
      severity: "error",
      from: { path: "^emulators/", pathNot: any(tests, "/(harness|msw|test-clients)\\.ts$") },
      to: { path: "node_modules/(ably|pusher|pusher-js|socket\\.io|socket\\.io-client)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // Files of apps elsewhere, which name each other as TypeScript does once it is built, or import what they have installed.
    exclude: {
      path: any(
        "^(\\.next|\\.data|scripts/testing/foreign|realtime/cli/templates)/",
        "^examples/[^/]+/(\\.next/|\\.data/|next-env)",
      ),
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".json", ".css"],
    },
  },
}
