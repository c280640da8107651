/** Where something stands in the window, in px. */
export interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Whether one covers a part of the other. What only touches it doesn't, and what the browser rounds counts as touching. */
export const doOverlap = (a: Box, b: Box): boolean =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5
