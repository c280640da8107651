import { RateLimiterMemory } from "rate-limiter-flexible"

/** Answers true about one thing so many times in so many seconds, where strangers can make it happen as often as they like. */
export function createSparing(times: number, seconds: number): (about: string) => Promise<boolean> {
  const limiter = new RateLimiterMemory({ points: times, duration: seconds })
  return (about) =>
    limiter.consume(about).then(
      () => true,
      () => false,
    )
}
