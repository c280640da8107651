/** The build that browsers get, which the package's types don't name. */
declare module "pusher-js/dist/web/pusher.js" {
  export { default } from "pusher-js"
}
