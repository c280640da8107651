import type { NextConfig } from "next"
import createNextIntlPlugin from "next-intl/plugin"
import { localNames } from "./lib/env/local-addresses.ts"

/** On every answer. Pages have a policy for their content besides, which `proxy.ts` gives them. */
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
  { key: "Strict-Transport-Security", value: "max-age=31536000" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
]

const isDevelopment = process.env.NODE_ENV === "development"

/** Server libraries that no bundle holds, since they are loaded only when they are used. */
const loadedAsTheyAre = [
  ...["ably", "pg", "prom-client", "pusher", "redis"],
  ...["@opentelemetry/context-async-hooks", "@opentelemetry/core", "@opentelemetry/exporter-trace-otlp-http"],
  ...["@opentelemetry/resources", "@opentelemetry/sdk-trace-base"],
]

/** What a newcomer would wait for while it is compiled; built, a function starts faster with these in its bundle. */
const notCompiledInDevelopment = [
  ...["cockatiel", "file-type", "image-size", "iron-session", "jose", "kysely"],
  ...["rate-limiter-flexible", "zod"],
]

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  typedRoutes: false,
  // In development a page opened by another name of this machine, as on a phone in the same network, comes alive too.
  ...(isDevelopment && {
    allowedDevOrigins: ["127.0.0.1", "[::1]", ...localNames()],
  }),
  serverExternalPackages: [...loadedAsTheyAre, ...(isDevelopment ? notCompiledInDevelopment : [])],
  // `npm run check` looks at them; where only what production needs is installed, those of the tests aren't there.
  typescript: { ignoreBuildErrors: true },
  // What is sent to pages is copied for `proxy.ts`: more than a server action takes, so that it sees what is too much.
  experimental: { proxyClientMaxBodySize: "2mb" },
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
}

export default createNextIntlPlugin("./lib/i18n/request.ts")(config)
