import { cleanup, render, screen } from "@testing-library/react"
import { HttpResponse, http } from "msw"
import { setupServer } from "msw/node"
import { NextIntlClientProvider } from "next-intl"
import { afterAll, afterEach, beforeAll, expect, it } from "vitest"
import messages from "#lib/i18n/messages/en.json"
import { MeContext } from "../../_components/chat-provider.tsx"
import { RichText } from "../../_components/rich-text.tsx"
import { NameMark, PresentName, RoomPeopleProvider, useRoomPeople } from "./room-people.tsx"

const server = setupServer(http.get("*/api/chat/people", () => HttpResponse.json({ people: [] })))
beforeAll(() => server.listen())
afterAll(() => server.close())
afterEach(cleanup)

const me = { id: "me", name: "Me" }
const said = [{ from: { id: "1", name: "Aki" } }, { from: { id: "2", name: "Ben" } }]
const ren = { user: { id: "1", name: "Ren" } }

function show(present: { user: { id: string; name: string } }[], children: React.ReactNode) {
  render(
    <NextIntlClientProvider locale="en" messages={messages as never}>
      <MeContext value={me}>
        <RoomPeopleProvider roomId="1" present={present} messages={said}>
          {children}
        </RoomPeopleProvider>
      </MeContext>
    </NextIntlClientProvider>,
  )
}

const plain = (text: string | null | undefined) => text?.replace(/[\u2066-\u2069]/g, "")

it("beside the name of then stands what its sender is called by now, and nothing beside anybody else's", () => {
  show(
    [ren],
    <>
      <PresentName id="1" name="Aki" />
      <PresentName id="1" name="Ren" />
      <PresentName id="2" name="Ben" />
      <PresentName id="unknown" name="Cy" />
    </>,
  )
  expect(screen.getAllByTestId("present-name").map(({ textContent }) => plain(textContent))).toEqual([
    messages.messages.presentName.replace("{name}", "Ren"),
  ])
})

it("somebody is mentioned by their present name, and a mention by the one before is theirs still", () => {
  function Offered() {
    const { people } = useRoomPeople()
    return <output>{JSON.stringify(people)}</output>
  }
  show(
    [ren],
    <>
      <Offered />
      <RichText text="@Aki, then @Ren, and @Me" mentions={["1", "me"]} me={me} />
    </>,
  )
  expect(screen.getByRole("status").textContent).toBe(JSON.stringify([ren.user]))
  expect([...document.querySelectorAll("[data-mention]")].map(({ textContent }) => textContent)).toEqual([
    ...["@Aki", "@Ren", "@Me"],
  ])
})

it("whoever takes the name that somebody had before is told from them", async () => {
  show(
    [ren, { user: { id: "3", name: "Aki" } }],
    [1, 2, 3].map((id) => <NameMark key={id} id={String(id)} />),
  )
  const marks = await screen.findAllByTitle(messages.mentions.mark)
  expect(marks).toHaveLength(2)
  expect(new Set(marks.map(({ textContent }) => textContent)).size).toBe(2)
})
