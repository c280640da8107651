export const texts = {
  en: {
    ...{ title: "Shared document", begin: "New document" },
    you: (name: string) => `${name} (you)`,
    states: {
      ...{ loading: "Opening…", synced: "Saved", saving: "Saving…", diverged: "Not saved" },
      offline: "Not connected: what you write is kept in this browser",
      refused: "You may not open this document",
      reading: "For reading only",
    },
    tools: {
      ...{ undo: "Undo", redo: "Redo", heading: "Heading", bold: "Bold", italic: "Italic" },
      ...{ bulletList: "Bulleted list", orderedList: "Numbered list" },
    },
    refused: "The server hasn't taken your last changes, so nobody but you sees them.",
    tooLarge: "What you put in is too large, so nobody but you sees it, nor what you wrote after it.",
    ...{ toolbar: "Formatting", copy: "Copy everything", discard: "Throw my changes away" },
    ...{ notes: "Notes", first: "Whoever has the address of this page writes along." },
  },
  ja: {
    ...{ title: "みんなの文書", begin: "新しい文書" },
    you: (name: string) => `${name}（あなた）`,
    states: {
      ...{ loading: "開いています…", synced: "保存済み", saving: "保存中…", diverged: "未保存" },
      offline: "接続していません。書いたものはこのブラウザーに残ります",
      refused: "この文書は開けません",
      reading: "閲覧のみ",
    },
    tools: {
      ...{ undo: "元に戻す", redo: "やり直す", heading: "見出し", bold: "太字", italic: "斜体" },
      ...{ bulletList: "箇条書き", orderedList: "番号付きリスト" },
    },
    refused: "最後の変更はサーバーに受け付けられませんでした。ほかの人には見えていません。",
    tooLarge: "追加したものが大きすぎます。それとそのあとの変更は、ほかの人には見えていません。",
    ...{ toolbar: "書式", copy: "すべてコピー", discard: "自分の変更を捨てる" },
    ...{ notes: "メモ", first: "このページのアドレスを知っている人は、いっしょに書けます。" },
  },
}

export type Language = keyof typeof texts
