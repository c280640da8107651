import { test as setup } from "@playwright/test"
import { buildOnce } from "../scripts/build-once.ts"

setup("the production build is made, unless the one that is there is of the same sources", async () => {
  // A machine that does much else beside takes long; the run as a whole has its own end.
  setup.setTimeout(1_200_000)
  await buildOnce()
})
