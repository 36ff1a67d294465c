// The list of tickets: which one is open, which ones are picked for an act on several.

import { word } from "./words.js";

/** The number of the open ticket as text, or null. */
export function openTicket() {
  return document.querySelector("#ticket[data-ticket]")?.dataset.ticket ?? null;
}

/** The rows of the list, top to bottom. */
export function rows() {
  return [...document.querySelectorAll("#ticket-list > [data-ticket]")];
}

/** The numbers of the picked tickets. */
export function picked() {
  return rows().filter((row) => row.hasAttribute("data-picked")).map((row) => row.dataset.ticket);
}

/** Pick a row, or let it go. */
export function pick(row, yes = !row.hasAttribute("data-picked")) {
  row.toggleAttribute("data-picked", yes);
  const box = row.querySelector("input[type=checkbox][name=ticket]");
  if (box) box.checked = yes;
  showPicked();
}

/** Let all rows go. */
export function pickNone() {
  for (const row of rows()) if (row.hasAttribute("data-picked")) pick(row, false);
}

/** The link of a row, which is what opens it and what has the focus. */
export function linkOf(row) {
  return row?.querySelector("a[href]") ?? null;
}

/** Mark the row of the open ticket. */
export function markOpen() {
  const ticket = openTicket();
  for (const row of rows()) {
    if (row.dataset.ticket === ticket) linkOf(row)?.setAttribute("aria-current", "true");
    else linkOf(row)?.removeAttribute("aria-current");
  }
  document.body.classList.toggle("shows-ticket", ticket !== null);
  document.body.classList.toggle("shows-list", ticket === null);
}

function showPicked() {
  const count = picked().length;
  for (const bar of document.querySelectorAll("[data-selection]")) {
    bar.hidden = count === 0;
    const said = bar.querySelector("[data-selection-count]");
    if (said) said.textContent = word("selected", { n: count });
  }
}

/** Keep the scroll of the list while its rows change, and the bar of picked rows true. Once per page. */
export function start() {
  let top = 0;
  document.addEventListener("live:before", ({ target }) => {
    if (target.id === "ticket-list") top = target.closest(".pane__scroll")?.scrollTop ?? 0;
  });
  document.addEventListener("live:updated", ({ target }) => {
    if (target.id !== "ticket-list") return;
    const scroller = target.closest(".pane__scroll");
    if (scroller && scroller.scrollTop !== top) scroller.scrollTop = top;
    markOpen();
    showPicked();
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches?.("#ticket-list input[type=checkbox][name=ticket]")) {
      pick(target.closest("[data-ticket]"), target.checked);
    }
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-selection-clear]")) pickNone();
  });
}
