"use client"
import { clsx } from "clsx"
import { Download } from "lucide-react"
import { useTranslations } from "next-intl"
import { useState } from "react"
import type { SharedFile } from "#lib/chat/channels.ts"
import { fileUrl, thumbnailUrl } from "#lib/files/rules.ts"
import { FileIcon } from "./file-icon.tsx"
import { type Picture, PictureViewer } from "./picture-viewer.tsx"
import { useFileSize } from "./use-file-size.ts"

const isPicture = (file: SharedFile): file is Picture => file.width !== undefined && file.height !== undefined

/** The files of a message: pictures to look at, the others to download. Nothing of it moves while they load. */
export function FileList({ files }: { files: readonly SharedFile[] }) {
  const t = useTranslations("files")
  const pictures = files.filter(isPicture)
  const others = files.filter((file) => !isPicture(file))
  const [shown, setShown] = useState<number | null>(null)
  return (
    <div className="grid min-w-0 max-w-full gap-1.5">
      {pictures.length > 0 && (
        <ul
          aria-label={t("list")}
          className={clsx("flex max-w-full flex-wrap gap-1.5", pictures.length > 1 && "w-[22rem]")}
        >
          {pictures.map((picture, index) => (
            <li key={picture.id} className={pictures.length > 1 ? "w-[calc(50%-0.1875rem)]" : "max-w-full"}>
              <Thumbnail picture={picture} isAlone={pictures.length === 1} onOpen={() => setShown(index)} />
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <ul aria-label={t("list")} className="grid gap-1.5">
          {others.map((file) => (
            <FileRow key={file.id} file={file} />
          ))}
        </ul>
      )}
      {shown !== null && (
        <PictureViewer pictures={pictures} index={shown} onMove={setShown} onClose={() => setShown(null)} />
      )}
    </div>
  )
}

const largest = { width: 352, height: 288 }
/** What can still be seen and touched of a picture that is a line. */
const smallest = 48

/** Its place on the screen, known before a byte of it is here. */
function placeOf({ width, height }: Picture) {
  const scale = Math.min(1, largest.width / width, largest.height / height)
  const shownWidth = Math.max(smallest, Math.round(width * scale))
  const shownHeight = Math.max(smallest, Math.round(height * scale))
  return { width: shownWidth, aspectRatio: `${shownWidth} / ${shownHeight}` }
}

interface ThumbnailProps {
  picture: Picture
  isAlone: boolean
  onOpen(): void
}

function Thumbnail({ picture, isAlone, onOpen }: ThumbnailProps) {
  const t = useTranslations("files")
  const { id, name, hasThumbnail } = picture
  const [isGone, setIsGone] = useState(false)
  return (
    <button
      type="button"
      onClick={onOpen}
      disabled={isGone}
      aria-label={t("enlarge", { name })}
      style={isAlone ? placeOf(picture) : undefined}
      className={clsx(
        "block max-w-full overflow-hidden rounded-2xl border border-line bg-raised",
        !isAlone && "aspect-square w-full",
      )}
    >
      {isGone ? (
        <span className="grid h-full place-items-center p-2 text-muted text-xs">{t("unavailable")}</span>
      ) : (
        <img
          src={(hasThumbnail ? thumbnailUrl : fileUrl)(id)}
          alt={t("picture", { name })}
          decoding="async"
          onError={() => setIsGone(true)}
          className="size-full object-cover"
        />
      )}
    </button>
  )
}

function FileRow({ file: { id, name, type, size } }: { file: SharedFile }) {
  const t = useTranslations("files")
  const sizeOf = useFileSize()
  return (
    <li>
      <a
        href={`${fileUrl(id)}?download`}
        download={name}
        aria-label={t("download", { name })}
        className="flex w-72 max-w-full items-center gap-3 rounded-2xl border border-line bg-surface p-2.5 pr-3.5 text-text hover:bg-raised"
      >
        <span className="grid size-10 shrink-0 place-items-center rounded-xl bg-raised text-accent">
          <FileIcon type={type} />
        </span>
        <span className="grid min-w-0 flex-1">
          <span dir="auto" className="line-clamp-2 font-medium text-sm" title={name}>
            {name}
          </span>
          <span className="text-muted text-xs">{sizeOf(size)}</span>
        </span>
        <Download size={18} aria-hidden="true" className="shrink-0 text-muted" />
      </a>
    </li>
  )
}
