import { maxThumbnailBytes, maxThumbnailSide, pictureTypes } from "#lib/files/rules.ts"

/** A picture so small is its own preview. */
const smallBytes = 200 * 1024
/** A moving picture moves in the list too, unless it is heavy. */
const smallMovingBytes = 2 * 1024 * 1024
const quality = 0.8

/** Browser: a preview of a picture; null where none is needed, and where the browser can't read it. */
export async function makeThumbnail(file: File): Promise<Blob | null> {
  if (!pictureTypes.has(file.type)) return null
  if (file.type === "image/gif" && file.size <= smallMovingBytes) return null
  const picture = await createImageBitmap(file).catch(() => null)
  if (!picture) return null
  try {
    const { width, height } = picture
    const scale = Math.min(1, maxThumbnailSide / Math.max(width, height))
    if (scale === 1 && file.size <= smallBytes) return null
    const canvas = document.createElement("canvas")
    canvas.width = Math.max(1, Math.round(width * scale))
    canvas.height = Math.max(1, Math.round(height * scale))
    const context = canvas.getContext("2d")
    if (!context) return null
    context.imageSmoothingQuality = "high"
    context.drawImage(picture, 0, 0, canvas.width, canvas.height)
    const blob = (await encode(canvas, "image/webp")) ?? (await encodeOpaque(canvas, context))
    return blob && blob.size <= maxThumbnailBytes ? blob : null
  } finally {
    picture.close()
  }
}

/** Null where the browser doesn't write this type (WebKit and WebP): it would write PNG instead, many times as large. */
async function encode(canvas: HTMLCanvasElement, type: string): Promise<Blob | null> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality))
  return blob?.type === type ? blob : null
}

/** JPEG knows no transparency: what is see-through becomes white, not black. */
function encodeOpaque(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): Promise<Blob | null> {
  context.globalCompositeOperation = "destination-over"
  context.fillStyle = "#fff"
  context.fillRect(0, 0, canvas.width, canvas.height)
  return encode(canvas, "image/jpeg")
}
