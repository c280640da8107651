/**
 * What finds programs, and npm its registry: behind a proxy with a certificate of its own, too. And the mark
 * by which a run (`scripts/run.ts`) ends all that it started.
 */
const isKept =
  /^(path|home|node_extra_ca_certs|(https?_|no_)proxy|npm_config_registry|throughline_started_by)$/i

/** For programs that get none of what may be set for other tests, `NODE_ENV` included. */
export const bareEnvironment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => isKept.test(name))),
  NEXT_TELEMETRY_DISABLED: "1",
} as unknown as NodeJS.ProcessEnv
