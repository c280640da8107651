import { test as setup } from "@playwright/test"
import { buildOnce } from "../scripts/build-once.ts"

setup("the production build is made, unless the one that is there is of the same sources", async () => {
  setup.setTimeout(300_000)
  await buildOnce()
})
