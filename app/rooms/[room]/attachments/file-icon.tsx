import { File, FileArchive, FileAudio, FileImage, FileText, FileVideo } from "lucide-react"

const icons = [
  [/^image\//, FileImage],
  [/^video\//, FileVideo],
  [/^audio\//, FileAudio],
  [/zip|compressed|tar|rar|7z|gzip/, FileArchive],
  [/^text\/|pdf|document|sheet|presentation|rtf|xml/, FileText],
] as const

/** A sign for what kind of file it is; its name stands beside it. */
export function FileIcon({ type, size = 20 }: { type: string; size?: number }) {
  const Icon = icons.find(([pattern]) => pattern.test(type))?.[1] ?? File
  return <Icon size={size} aria-hidden="true" className="shrink-0" />
}
