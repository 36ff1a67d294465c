// A way to answer, as its tab tells of it: where the words would go, and what may go there.

import { own, recall, remember } from "./store.js";

/** Whether one can write there just now; the note is no way. */
export function isOpen(tab) {
  return tab.dataset.way !== "note" && tab.getAttribute("aria-disabled") !== "true";
}

/** The way of this tab. `limit` is how many characters it takes, null for any number. */
export function wayOf(tab) {
  const { way, surface, name, limit } = tab.dataset;
  return {
    key: way,
    surface,
    name,
    limit: limit ? Number(limit) : null,
    isPublic: "public" in tab.dataset,
    takesFiles: "takesFiles" in tab.dataset,
    isClosed: !isOpen(tab),
  };
}

/** The open tab of these for a way ({key, surface}): the same one, else another on its surface; null where there is none. */
export function openWay(tabs, way) {
  const open = way ? tabs.filter(isOpen) : [];
  return open.find((tab) => tab.dataset.way === way.key) ?? open.find((tab) => tab.dataset.surface === way.surface) ?? null;
}

/** Remember which way a ticket's half-written words are to go; null forgets it. */
export function keepWay(ticket, way) {
  remember(nameOf(ticket), way ? { key: way.key, surface: way.surface } : null);
}

/** The way ({key, surface}) that a ticket's half-written words are to go, as far as this browser knows, or null. */
export function keptWay(ticket) {
  return recall(nameOf(ticket));
}

function nameOf(ticket) {
  return `${own("way")}-${ticket}`;
}
