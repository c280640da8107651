import { expect, type Page } from "@playwright/test"
import { settle } from "./axe.ts"

/**
 * What is wrong with the width of what a page shows now: what scrolls sideways, what one uses that isn't whole in what it stands in,
 * text that is cut without a sign of it, names of which nothing is left, and words that break inside.
 */
function widthFaults(): string[] {
  const rounding = 1
  const fields = "input, textarea, select"
  const used = `a, button, ${fields}, [role=option], [role^=menuitem]`
  /** As long as any word of the chat's own. A run of letters that is longer is a name, and may break. */
  const ownWord = /(?<![A-Za-z])[A-Za-z]{2,15}(?![A-Za-z])/g

  const seen = (element: Element) => {
    const { width, height } = element.getBoundingClientRect()
    // What only a screen reader hears is 1 px wide.
    return (
      width > 1 && height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    )
  }
  const called = (element: Element) =>
    `${element.tagName.toLowerCase()} “${(element.getAttribute("aria-label") ?? element.textContent ?? "").slice(0, 60)}”`
  const isCutWithSign = (style: CSSStyleDeclaration) =>
    style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none"
  const ancestorsOf = (element: Element | null): Element[] =>
    element ? [element, ...ancestorsOf(element.parentElement)] : []
  const clips = (element: Element) => getComputedStyle(element).overflowX !== "visible"
  const inWindow = { left: 0, right: window.innerWidth }
  const isWithin = (inner: { left: number; right: number }, outer: { left: number; right: number }) =>
    inner.left >= outer.left - rounding && inner.right <= outer.right + rounding
  /** Below a dialog nothing is used or read. */
  const dialogs = [...document.querySelectorAll("[role=dialog], [role=alertdialog]")].filter(seen)
  const isShown = (element: Element) =>
    seen(element) &&
    !element.closest("[aria-hidden=true], [inert]") &&
    (dialogs.length === 0 ||
      dialogs.some((dialog) => dialog.contains(element)) ||
      element.closest("[role=menu], [role=listbox], [role=status]") !== null)

  const faults: string[] = []
  for (const element of document.querySelectorAll("*")) {
    if (!isShown(element) && element !== document.documentElement) continue
    const style = getComputedStyle(element)
    const isTooWide = element.scrollWidth > element.clientWidth + rounding
    const scrolls = element === document.documentElement || ["auto", "scroll"].includes(style.overflowX)
    if (scrolls && isTooWide && !element.matches(`pre, ${fields}`))
      faults.push(`scrolls sideways: ${called(element)}`)
    if (style.textOverflow === "ellipsis" && isTooWide && element.clientWidth < 24)
      faults.push(`nothing is left of ${called(element)}`)
    if (!element.matches(used)) continue
    const box = element.getBoundingClientRect()
    const around = ancestorsOf(element.parentElement)
      .filter(clips)
      .map((ancestor) => ancestor.getBoundingClientRect())
    if (![inWindow, ...around].every((outer) => isWithin(box, outer)))
      faults.push(`isn't whole: ${called(element)}`)
  }

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const parent = node.parentElement
    if (!parent || !isShown(parent) || parent.matches("script, style, textarea, title")) continue
    const text = node.textContent ?? ""
    const range = document.createRange()
    const boxesOf = (from: number, to: number) => {
      range.setStart(node, from)
      range.setEnd(node, to)
      return [...range.getClientRects()]
    }
    const clip = ancestorsOf(parent).find(
      (ancestor) => clips(ancestor) || isCutWithSign(getComputedStyle(ancestor)),
    )
    const outer = clip?.getBoundingClientRect() ?? inWindow
    const isSigned = clip !== undefined && isCutWithSign(getComputedStyle(clip))
    if (!isSigned && !boxesOf(0, text.length).every((box) => isWithin(box, outer)))
      faults.push(`is cut: “${text}”`)
    for (const { 0: word, index } of text.matchAll(ownWord)) {
      const lines = new Set(boxesOf(index, index + word.length).map(({ top }) => Math.round(top)))
      if (lines.size > 1) faults.push(`breaks inside: “${word}”`)
    }
  }
  return [...new Set(faults)]
}

/** At each width: nothing scrolls sideways, and everything that is shown can be read and used. */
export async function expectToFit(
  page: Page,
  what: string,
  widths: readonly number[] = [1100, 320],
): Promise<void> {
  const viewport = page.viewportSize() ?? { width: 1100, height: 720 }
  for (const width of widths) {
    await page.setViewportSize({ ...viewport, width })
    await settle(page)
    const faults = await page.evaluate(widthFaults)
    expect.soft(faults, `${what} at ${width} px`).toEqual([])
  }
  await page.setViewportSize(viewport)
}
