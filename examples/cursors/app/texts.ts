export const texts = {
  en: {
    title: "Pointers",
    about:
      "Move over the board, or draw on it with a finger. Open it in a second window to see yourself from there.",
    board: "The board",
    here: (names: string[]) => (names[0] ? `Here, too: ${names.join(", ")}` : "Nobody else is here."),
    somebody: "Somebody",
    states: { up: "Live", trying: "Connecting…", down: "Disconnected" },
  },
  ja: {
    title: "みんなのポインター",
    about:
      "ボードの上でマウスや指を動かしてください。もうひとつの窓で開くと、自分のポインターが向こうから見えます。",
    board: "ボード",
    here: (names: string[]) => (names[0] ? `ほかにいる人：${names.join("、")}` : "ほかには誰もいません。"),
    somebody: "だれか",
    states: { up: "配信中", trying: "接続しています…", down: "切断されました" },
  },
}

export type Language = keyof typeof texts
