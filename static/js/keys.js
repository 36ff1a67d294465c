// One key for what is done more than ten times a day. Quiet while somebody types, and for what is not on the page.

import { act, takeBack } from "./acting.js";
import { composer } from "./composer.js";
import { linkOf, openTicket, pick, picked, pickNone, rows } from "./list.js";
import { closeAll, open } from "./menus.js";
import { focusSearch } from "./search.js";

const TYPING = "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable]";

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  r: () => composer()?.reply(),
  n: () => composer()?.note(),
  u: () => document.querySelector("[data-act-url]") && takeBack(),
  x: () => {
    const row = current();
    if (row && document.querySelector("[data-selection]")) pick(row);
  },
  "/": () => focusSearch(),
  "?": () => document.getElementById("help")?.showModal(),
};
// Controls say themselves which key they have: <button aria-keyshortcuts="s">.
const OF_CONTROLS = ["a", "q", "t", "e", "s", "z"];

/** Listen to the keyboard. Once per page. */
export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      back(event);
      return;
    }
    if (event.target.matches?.(TYPING) || event.target.closest?.(".menu")) return;
    const run = OF_CONTROLS.includes(event.key) ? () => press(event.key) : KEYS[event.key];
    // A key that is held down walks through the list, and does nothing else many times.
    if (!run || (event.repeat && !"jk".includes(event.key))) return;
    event.preventDefault();
    run();
  });
}

function current() {
  const row = document.activeElement?.closest?.("#ticket-list > [data-ticket]");
  return row ?? rows().find((one) => one.dataset.ticket === openTicket()) ?? null;
}

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const following = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[Math.max(0, Math.min(all.length - 1, at + step))];
  linkOf(following)?.focus();
  following.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const isOnPicked = picked().length > 0;
  const all = [...document.querySelectorAll(`[aria-keyshortcuts="${key}"]`)];
  const ofSelection = all.find((one) => one.closest("[data-act-scope=selected]"));
  const control = (isOnPicked && ofSelection) || all.find((one) => !one.closest("[data-act-scope=selected]"));
  if (!control || control.disabled) return;
  if (control.dataset.menu) open(control);
  else if (control.dataset.actUrl) act(control, { onPicked: isOnPicked });
  else control.click();
}

// Out of the innermost thing first: a menu, the field, what is picked, the ticket.
function back(event) {
  if (closeAll()) return;
  const field = event.target.closest?.("form.composer, #search-input");
  if (field) {
    event.target.blur();
    linkOf(current())?.focus({ preventScroll: true });
  } else if (picked().length) pickNone();
  else if (openTicket() && document.activeElement !== linkOf(current()) && linkOf(current())) linkOf(current()).focus();
  else document.querySelector("#ticket .only-phone[href]")?.click();
}
