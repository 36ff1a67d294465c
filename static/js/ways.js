// A way to answer, as its tab tells of it: where the words would go, and what may go there.

import { now } from "./server.js";
import { own, recall, remember } from "./store.js";
import { span } from "./times.js";
import { word } from "./words.js";

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
    isPublic: isPublic(tab),
    takesFiles: "takesFiles" in tab.dataset,
    isClosed: !isOpen(tab),
  };
}

/**
 * The tab of these for a way ({key, surface}), an open one rather than a closed one: its own, else another on its surface
 * that only the customer reads; null where there is none. Below another post the same words would tell everybody else.
 */
export function tabOf(tabs, way) {
  const own = tabs.filter((tab) => tab.dataset.way === way.key);
  const alike = tabs.filter((tab) => tab.dataset.surface === way.surface && !isPublic(tab));
  const fit = [...own, ...alike];
  return fit.find(isOpen) ?? fit[0] ?? null;
}

/** An open tab of these: one that only the customer reads, else any; null where none is open. */
export function openTab(tabs) {
  const open = tabs.filter(isOpen);
  return open.find((tab) => !isPublic(tab)) ?? open[0] ?? null;
}

/** An open way of these tabs that only the customer reads, or null. */
export function privateWay(tabs) {
  const tab = openTab(tabs);
  return tab && !isPublic(tab) ? wayOf(tab) : null;
}

/** Show of these tabs which one is chosen. */
export function select(tabs, chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
  }
}

/** Show on each of these tabs that closes how long the network still takes an answer. */
export function showClocks(tabs) {
  for (const tab of tabs) {
    const words = tab.querySelector("[data-clock-words]");
    if (!tab.dataset.windowUntil || !words) continue;
    const left = Date.parse(tab.dataset.windowUntil) - now();
    words.textContent = left > 0 ? span(left) : word("window_closed");
    tab.querySelector("[data-clock]").classList.toggle("surface__clock--soon", left < 3_600_000);
  }
}

/** Remember which way ({key, surface, isPublic}) a ticket's half-written words are to go; null forgets it. */
export function keepWay(ticket, way) {
  remember(nameOf(ticket), way ? { key: way.key, surface: way.surface, isPublic: way.isPublic } : null);
}

/** The way ({key, surface, isPublic}) that a ticket's half-written words are to go, as far as this browser knows, or null. */
export function keptWay(ticket) {
  return recall(nameOf(ticket));
}

/** Words come back to a draft that may have been begun since, for another way: all go the one that fewer people read. */
export function joinWay(ticket, way) {
  const kept = keptWay(ticket);
  if (!kept || (kept.isPublic && !way.isPublic)) keepWay(ticket, way);
}

function isPublic(tab) {
  return "public" in tab.dataset;
}

function nameOf(ticket) {
  return `${own("way")}-${ticket}`;
}
