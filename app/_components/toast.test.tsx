import { act, cleanup, render, screen } from "@testing-library/react"
import { afterEach, expect, it } from "vitest"
import { ToastAtTop, ToastPlace, ToastRegion, toast } from "./toast.tsx"

afterEach(cleanup)

const Page = ({ hasPlace, isDialogOpen }: { hasPlace: boolean; isDialogOpen: boolean }) => (
  <>
    <main>{hasPlace && <ToastPlace />}</main>
    {isDialogOpen && <ToastAtTop />}
    <ToastRegion />
  </>
)

it.each([
  { hasPlace: false, isDialogOpen: false, isInPage: false },
  { hasPlace: true, isDialogOpen: false, isInPage: true },
  { hasPlace: true, isDialogOpen: true, isInPage: false },
  { hasPlace: false, isDialogOpen: true, isInPage: false },
])("says it once, in the page's own place or outside of it: %o", ({ isInPage, ...page }) => {
  render(<Page {...page} />)
  act(() => toast("Copied"))
  // One that is found twice is refused.
  expect(screen.getByRole("main").contains(screen.getByText("Copied"))).toBe(isInPage)
})

it("goes back into the page once the last dialog is shut", () => {
  const { rerender } = render(<Page hasPlace isDialogOpen />)
  act(() => toast("Copied"))
  rerender(<Page hasPlace isDialogOpen={false} />)
  expect(screen.getByRole("main").contains(screen.getByText("Copied"))).toBe(true)
})
