"use client"
import { CloudAlert } from "lucide-react"
import { ErrorActions, type ErrorProps, useErrorText } from "./_components/error-actions.tsx"
import { NoticePage } from "./_components/notice-page.tsx"

export default function ErrorPage(props: ErrorProps) {
  return (
    <NoticePage icon={CloudAlert} {...useErrorText(props)}>
      <ErrorActions {...props} />
    </NoticePage>
  )
}
