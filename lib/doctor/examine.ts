import { ownUrl } from "../env/local-addresses.ts"
import { examineApp, isApp } from "./app.ts"
import { examineEnvironment } from "./environment.ts"
import { examineFiles } from "./files.ts"
import type { Finding } from "./finding.ts"
import { examineProvider } from "./provider.ts"
import { examineDatabase, examineRedis } from "./stores.ts"

export interface ExamineOptions {
  /** Where people open an app with these variables. By default the one that runs on this machine, if one does. */
  url?: string | undefined
}

/** Looks at everything that this environment names. Nothing of the app has to run but the gateway that is asked for. */
export async function examine(
  source: Readonly<Record<string, string | undefined>>,
  { url }: ExamineOptions = {},
): Promise<Finding[]> {
  const { env, findings } = examineEnvironment(source)
  if (!env) return findings
  // One after another: what they say stands in order, and none is slow because of another.
  findings.push(...(await examineDatabase(env)))
  findings.push(...(await examineRedis(env)))
  findings.push(...(await examineFiles(env)))
  for (const provider of env.REALTIME_PROVIDER) findings.push(...(await examineProvider(provider, env)))
  const local = ownUrl(env)
  if (url !== undefined || (await isApp(local))) findings.push(...(await examineApp(url ?? local, env)))
  return findings
}
