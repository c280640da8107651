export const texts = {
  en: {
    title: "Live prices",
    about: "500 invented symbols, each quoted 20 times a second.",
    doubt: (ms: number) => `Ages are by the server's clock, to ± ${ms} ms.`,
    columns: ["Symbol", "Price", "Change", "Trend", "Age"],
    states: { up: "Live", trying: "Connecting…", down: "Disconnected" },
  },
  ja: {
    title: "リアルタイム株価",
    about: "架空の500銘柄を、それぞれ毎秒20回更新しています。",
    doubt: (ms: number) => `経過時間はサーバーの時計によります（誤差 ±${ms} ミリ秒）。`,
    columns: ["銘柄", "価格", "騰落率", "推移", "経過"],
    states: { up: "配信中", trying: "接続しています…", down: "切断されました" },
  },
}

export type Language = keyof typeof texts
