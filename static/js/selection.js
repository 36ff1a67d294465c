// Several tickets at once: picked by a box or by a key, and what an act on all of them will mean.

import { rows } from "./list.js";
import { get } from "./server.js";
import { word } from "./words.js";

const PAUSE = 200;

const chosen = new Set();
let timer = 0;
let running = null;

const bar = () => document.getElementById("selection");
const boxes = () => [...document.querySelectorAll("input[type=checkbox][data-select]")];

/** The numbers of the picked tickets, as text. */
export function picked() {
  return bar() ? [...chosen] : [];
}

/** Pick a ticket, or let it go. Nothing where the page has no bar for it. */
export function pick(ticket, yes = !chosen.has(ticket)) {
  if (!bar()) return;
  if (yes) chosen.add(ticket);
  else chosen.delete(ticket);
  show();
}

/** Let all go. */
export function pickNone() {
  chosen.clear();
  show();
}

/** Listen to the boxes and the bar. Once per page. */
export function start() {
  document.addEventListener("change", ({ target }) => {
    if (target.matches?.("input[data-select]")) pick(target.dataset.select, target.checked);
    else if (target.closest?.("#selection")) soon();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-select-none]")) pickNone();
  });
  // Their list leaves the page, and what is not on the page must not be changed unseen.
  document.addEventListener("main:leaves", pickNone);
  document.addEventListener("live:updated", ({ target }) => {
    if (!chosen.size || !["ticket-list", "board"].includes(target.id)) return;
    // The same holds for what is no longer in the list.
    const here = new Set([...boxes().map((box) => box.dataset.select), ...rows().map((row) => row.dataset.ticket)]);
    for (const ticket of [...chosen]) if (!here.has(ticket)) chosen.delete(ticket);
    show();
  });
}

function show() {
  for (const box of boxes()) box.checked = chosen.has(box.dataset.select);
  for (const row of rows()) row.toggleAttribute("data-picked", chosen.has(row.dataset.ticket));
  const place = bar();
  if (!place) return;
  place.hidden = chosen.size === 0;
  const words = place.querySelector("[data-selected-words]");
  if (words) words.textContent = word("selected", { n: chosen.size });
  soon();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
}

async function preview() {
  const place = document.getElementById("selection-preview");
  if (!place?.dataset.url) return;
  running?.abort();
  if (!chosen.size) {
    place.replaceChildren();
    return;
  }
  running = new AbortController();
  const asked = new URLSearchParams([...chosen].map((ticket) => ["ticket", ticket]));
  for (const select of bar().querySelectorAll("select")) if (select.value) asked.set(select.name, select.value);
  try {
    const { status, text } = await get(`${place.dataset.url}?${asked}`, { signal: running.signal });
    if (status !== 200) return; // the act itself is allowed or refused on its own
    place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  } catch (error) {
    if (error.name !== "AbortError") throw error; // a newer choice is being asked about
  }
}
