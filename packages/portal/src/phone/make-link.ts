/** Making a link, loaded when it is asked for. */
export { linkForNewPhone } from "@xinglin/client";
