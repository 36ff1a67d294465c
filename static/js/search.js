// Search that answers while one types.

import { callout } from "./callout.js";
import { get } from "./server.js";
import { recall, remember } from "./store.js";
import { word } from "./words.js";

const PAUSE = 200;

const AHEAD = "search-typed";
// A page that has not come by then does not come.
const ON_ITS_WAY = 10_000;

let timer = 0;
let running = null;
// What was typed since the search page was asked for, and until when that counts; null while none is.
let ahead = null;

/** Go to the search field. False where the page has none. */
export function focusSearch() {
  const field = document.getElementById("search-input");
  if (field) {
    field.focus();
    field.select();
    return true;
  }
  const link = document.querySelector("[data-open-search]");
  if (!link) return false;
  ahead = { text: "", until: Date.now() + ON_ITS_WAY };
  comeIn(link.href);
  return true;
}

// The search comes into this page: a browser that goes to another one loses what is typed on the way.
async function comeIn(address) {
  const answer = await fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(ON_ITS_WAY) }).catch(() => null);
  // The time can run out while the page is still coming, too.
  const text = answer?.ok && !answer.redirected ? await answer.text().catch(() => null) : null;
  const page = text === null ? null : new DOMParser().parseFromString(text, "text/html");
  const [here, fresh] = [document, page].map((root) => root?.getElementById("main"));
  // Escape was pressed meanwhile, or a field or a ticket chosen: nobody wants to search any more.
  if (!ahead) return;
  if (!here || !fresh) {
    location.assign(address);
    return;
  }
  document.dispatchEvent(new CustomEvent("main:leaves"));
  // Marked as htmx marks its own steps, so that the way back loads the page that was here.
  history.replaceState({ htmx: true }, "");
  history.pushState({ htmx: true }, "", address);
  document.title = page.title;
  document.body.className = page.body.className;
  for (const link of document.querySelectorAll(".sidebar [aria-current]")) link.removeAttribute("aria-current");
  here.replaceWith(document.importNode(fresh, true));
  document.dispatchEvent(new CustomEvent("main:came"));
  takeAhead();
  document.getElementById("search-input").focus();
}

/** Whether a key belongs to the search page that is on its way; kept for its field. */
export function typedAhead(event) {
  if (!ahead || ahead.until < Date.now()) return false;
  // Who went on writing elsewhere meanwhile means that field.
  if (event.target.matches?.("input, textarea, select, [contenteditable]")) {
    giveUp();
    return false;
  }
  if (event.key === "Escape") {
    giveUp();
    return true;
  }
  if (event.key === "Backspace") ahead.text = ahead.text.slice(0, -1);
  else if ([...event.key].length === 1) ahead.text += event.key;
  else return false;
  event.preventDefault();
  remember(AHEAD, ahead.text, "sessionStorage");
  return true;
}

// What was typed for this search is not for the next one.
function giveUp() {
  ahead = null;
  remember(AHEAD, null, "sessionStorage");
}

// The field has the keys that were typed before it was there.
function takeAhead() {
  ahead = null;
  const typed = recall(AHEAD, "sessionStorage");
  const field = document.getElementById("search-input");
  if (typed === null || !field) return;
  remember(AHEAD, null, "sessionStorage");
  field.value = typed + field.value;
  field.focus();
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** Listen to the field. Once per page. */
export function start() {
  takeAhead();
  // The browser's own way back shows the page as it was left.
  window.addEventListener("pageshow", takeAhead);
  // Who opens a ticket meanwhile must not lose it to the search. What the page fetches by itself does not count.
  document.addEventListener("htmx:beforeRequest", ({ target }) => {
    if (ahead && target.matches("a[href]")) giveUp();
  });
  document.addEventListener("input", ({ target }) => {
    if (target.id !== "search-input") return;
    clearTimeout(timer);
    timer = setTimeout(() => look(target), PAUSE);
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || !event.target.closest?.("#search-input, #search-results")) return;
    const field = document.getElementById("search-input");
    const links = [...document.querySelectorAll("#search-results a[href]")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] ?? field).focus();
    else if (event.key === "Enter" && event.target === field && links.length) links[0].click();
    else return;
    event.preventDefault();
  });
}

async function look(field) {
  const place = document.getElementById("search-results");
  if (!place) return;
  running?.abort();
  running = new AbortController();
  const url = new URL(field.dataset.url, location.href);
  url.searchParams.set(field.name || "q", field.value);
  place.setAttribute("aria-busy", "true");
  let answer = null;
  try {
    answer = await get(url.pathname + url.search, { signal: running.signal });
  } catch (error) {
    if (error.name === "AbortError") return; // a newer question is on its way
    throw error;
  }
  place.removeAttribute("aria-busy");
  if (answer.status !== 200) {
    callout(place, word("failed_load"), { actions: [{ words: word("try_again"), run: () => look(field) }] });
    return;
  }
  const parsed = new DOMParser().parseFromString(answer.text, "text/html");
  const fresh = parsed.getElementById("search-results") ?? parsed.body;
  place.replaceChildren(...fresh.childNodes);
  window.htmx?.process(place);
  // A search can be sent to a colleague, and the back button leads to it.
  const shown = new URL(location.href);
  if (shown.pathname === url.pathname) history.replaceState(history.state, "", url);
}
