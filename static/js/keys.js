// One key for what is done more than ten times a day. Quiet while somebody types, and for what is not on the page.

import { act, takeBack } from "./acting.js";
import { composer } from "./composer.js";
import { currentRow, linkOf, neighbour, openTicket, stand } from "./list.js";
import { closeAll } from "./menus.js";
import { focusSearch, typedAhead } from "./search.js";
import { pick, picked, pickNone } from "./selection.js";

const TYPING = "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable]";

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  r: () => composer()?.reply(),
  n: () => composer()?.note(),
  u: () => document.querySelector("[data-act-url]") && takeBack(),
  x: () => pickCurrent(),
  "/": () => focusSearch(),
  "?": () => document.getElementById("help")?.showModal(),
};
// Controls say themselves which key they have: <button data-key="s">.
const OF_CONTROLS = ["a", "q", "t", "e", "s", "z"];

/** Listen to the keyboard. Once per page. */
export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    // Words for a search page that is still on its way must not be taken for keys: an "s" would solve the open ticket.
    if (typedAhead(event)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      back(event);
      return;
    }
    if (event.target.matches?.(TYPING) || event.target.closest?.(".menu")?.checkVisibility()) return;
    const run = OF_CONTROLS.includes(event.key) ? () => press(event.key) : KEYS[event.key];
    // A key that is held down walks through the list, and does nothing else many times.
    if (!run || (event.repeat && !"jk".includes(event.key))) return;
    event.preventDefault();
    run();
  });
}

function walk(step) {
  const following = neighbour(step);
  if (!following) return;
  stand(following);
  linkOf(following)?.focus();
  following.scrollIntoView({ block: "nearest" });
}

function pickCurrent() {
  const row = currentRow();
  if (row) pick(row.dataset.ticket);
}

function press(key) {
  const own = document.querySelector(`#ticket [data-key="${key}"]`);
  const control = picked().length ? ofSelection(key, own) : own;
  if (!control || control.disabled) return;
  const field = control.matches("form") ? control.querySelector("select, input:not([type=hidden])") : null;
  if (field) {
    // What has to be chosen or typed first is shown.
    const menu = control.closest("[popover]:not(:popover-open)");
    // By its button, where the browser then places it.
    if (menu) document.querySelector(`[popovertarget="${menu.id}"]`)?.click();
    field.focus();
  } else if (control.matches("form")) act(control, control.querySelector("button"));
  else control.click();
}

// The control of the bar that does to all picked tickets what the key does to the open one.
function ofSelection(key, own) {
  const field = { a: "owner", q: "queue" }[key];
  const acts = { s: "/act/solve/", e: "/act/no-reply/" };
  if (field) return document.querySelector(`#selection [name="${field}"]`)?.form ?? null;
  const url = own?.dataset.actUrl ?? acts[key];
  return url ? document.querySelector(`#selection [data-act-url="${url}"]`) : null;
}

// Out of the innermost thing first: a menu, the field, what is picked, the ticket.
function back(event) {
  if (closeAll()) return;
  const field = event.target.closest?.("form.composer, #search-input");
  if (field) {
    event.target.blur();
    linkOf(currentRow())?.focus({ preventScroll: true });
  } else if (picked().length) pickNone();
  else if (openTicket() && document.activeElement !== linkOf(currentRow()) && linkOf(currentRow())) linkOf(currentRow()).focus();
  else document.querySelector("#ticket .only-phone[href]")?.click();
}
