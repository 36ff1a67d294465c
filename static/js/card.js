// The customer's card beside the ticket: fetched again when something was done that it tells of.

import { openTicket } from "./list.js";
import { morphChildren } from "./morph.js";
import { get } from "./server.js";

/** Make the card like that of a ticket's panes that were just fetched. */
export function show(panes) {
  const [card, fresh] = [document, panes].map((root) => root.querySelector("aside#customer"));
  if (card && fresh) morphChildren(card, fresh);
}

/** Fetch the card of the open ticket again. */
export async function refresh() {
  const ticket = openTicket();
  if (!ticket || !document.getElementById("customer")) return;
  const { status, text } = await get(`/t/${ticket}/`, { also: { "HX-Request": "true" } });
  if (status === 200 && openTicket() === ticket) show(new DOMParser().parseFromString(text, "text/html"));
}
