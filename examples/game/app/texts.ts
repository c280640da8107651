export const texts = {
  en: {
    title: "Pong",
    about: "Drag on the court, or use the arrow keys. The first two who come play; the others look on.",
    here: "The court",
    steer: "Your paddle",
    players: (left = "free", right = "free") => `${left} – ${right}`,
    scored: (name: string, score: string) => `${name} scores: ${score}`,
    states: { up: "Live", trying: "Connecting…", down: "Disconnected" },
  },
  ja: {
    title: "ポン",
    about: "コートの上をドラッグするか、矢印キーで動かします。先に来た二人の対戦を、ほかの人は観戦できます。",
    here: "コート",
    steer: "あなたのパドル",
    players: (left = "空き", right = "空き") => `${left} – ${right}`,
    scored: (name: string, score: string) => `${name}さんの得点：${score}`,
    states: { up: "配信中", trying: "接続しています…", down: "切断されました" },
  },
}

export type Language = keyof typeof texts
