import { configure } from "@testing-library/react"

// Its own second is over before anything has happened on a busy machine.
configure({ asyncUtilTimeout: 15_000 })
