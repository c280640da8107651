import fc from "fast-check"

/**
 * The same random inputs in each run, so that chance doesn't decide whether a change lands;
 * `FAST_CHECK_SEED=7` draws others.
 */
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_123) })

/**
 * fast-check as all tests here import it. Loaded where it is used alone: it takes
 * longer than most files' own tests.
 */
export default fc
