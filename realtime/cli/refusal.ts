/** `EX_CONFIG` of sysexits.h, on which a service manager needn't try again. */
export const wrongConfig = 78

/**
 * Why a command did nothing: what it saw, and what to do. Exit code 1, or 78 where
 * the configuration is what is wrong.
 */
export class Refusal extends Error {
  readonly advice: string | undefined
  readonly exitCode: number

  constructor(reason: string, advice?: string, exitCode = 1) {
    super(reason)
    this.name = "Refusal"
    this.advice = advice
    this.exitCode = exitCode
  }
}
