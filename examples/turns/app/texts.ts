export const texts = {
  en: {
    title: "Noughts and crosses",
    about: "Two people take turns. Whoever is quicker begins.",
    cell: (n: number, mark: string) => `Square ${n} ${mark}`.trim(),
    begin: (mark: string) => `${mark} is free: whoever likes may place it.`,
    next: (mark: string, name = "?") => `${mark} is next: ${name}`,
    won: (mark: string, name = "?") => `${mark} has won: ${name}`,
    draw: "A draw.",
    again: "Play again",
    states: { up: "Live", trying: "Connecting…", down: "Disconnected" },
  },
  ja: {
    title: "三目並べ",
    about: "二人で交互に置きます。早い人が先手です。",
    cell: (n: number, mark: string) => `${n}番のマス ${mark}`.trim(),
    begin: (mark: string) => `${mark} は空いています。どなたでも置けます。`,
    next: (mark: string, name = "？") => `次は ${mark}：${name}`,
    won: (mark: string, name = "？") => `${mark} の勝ち：${name}`,
    draw: "引き分けです。",
    again: "もう一度",
    states: { up: "配信中", trying: "接続しています…", down: "切断されました" },
  },
}

export type Language = keyof typeof texts
