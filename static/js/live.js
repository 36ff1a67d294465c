// Keeping the page as the world is: pieces that say what they show are fetched again when that changes.
//
// A piece has data-live-on (the names it shows), data-live-url (where it is fetched) and perhaps data-live-pick
// (which element of the answer it is). The stream sends names only, so each fetch has the reader's own rights.

import { morphChildren } from "./morph.js";
import { get, now } from "./server.js";
import { follow } from "./stream.js";
import { openTicket } from "./list.js";
import { word } from "./words.js";

const DEBOUNCE = 150;
const CHECK = 30_000;
const OFFLINE_AFTER = 5000;
// An event this recent may have come between the reading of a swapped-in piece and its arrival on the page.
const JUST_NOW = 10_000;
const MOST_PAGES = 5;

const pieces = new WeakMap();
const recent = [];
let stop = null;
let offlineTimer = 0;

/** Follow the stream and keep every piece of the page fresh. Once per page. */
export function start() {
  const { stream, person, live } = document.body.dataset;
  if (!live || stop) return;
  const begin = (position) => {
    stop = follow({ url: live, position, person, heard, state: show });
  };
  begin(stream ?? "");
  setInterval(() => {
    if (!document.hidden) refresh();
  }, CHECK);
  document.addEventListener("visibilitychange", () => {
    // A hidden page is not checked; a lost name is healed when somebody looks again.
    if (!document.hidden) refresh();
  });
  // A page that goes to the back-forward cache gives the stream to another tab, and may come back much later.
  addEventListener("pagehide", () => {
    stop?.();
    stop = null;
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    begin("");
    refresh();
  });
}

/** Fetch what was swapped in again if something it shows changed meanwhile. */
export function catchUp(root) {
  const names = recent.filter((one) => now() - one.at < JUST_NOW).flatMap((one) => one.names);
  if (names.length) touch(names, root);
}

/** Fetch every piece (or those that show `name`) again, soon. */
export function refresh(name = "refresh") {
  touch([name]);
}

/** Fetch a piece now; resolves when the page shows the answer. */
export async function fetchNow(element) {
  await fetchPiece(element, state(element));
}

function heard(names) {
  recent.push({ at: now(), names });
  if (recent.length > 100) recent.shift();
  touch(names);
  document.dispatchEvent(new CustomEvent("live:names", { detail: { names } }));
}

function touch(names, root = document) {
  for (const element of root.querySelectorAll("[data-live-on]")) {
    const shown = element.dataset.liveOn.split(/\s+/);
    if (names.includes("refresh") || shown.some((name) => names.includes(name))) soon(element);
  }
}

function state(element) {
  if (!pieces.has(element)) pieces.set(element, { timer: 0, busy: false, again: false, text: "", etag: "" });
  return pieces.get(element);
}

// Not put off by further events: under a steady stream the piece would otherwise never be fetched.
function soon(element) {
  const piece = state(element);
  if (piece.busy) piece.again = true;
  else if (!piece.timer) piece.timer = setTimeout(() => fetchPiece(element, piece), DEBOUNCE);
}

async function fetchPiece(element, piece) {
  clearTimeout(piece.timer);
  piece.timer = 0;
  if (piece.busy) {
    piece.again = true;
    return;
  }
  piece.busy = true;
  try {
    const url = address(element);
    const answer = await get(url, { etag: piece.url === url ? piece.etag : "" });
    if (element.isConnected) await use(element, piece, url, answer);
  } finally {
    piece.busy = false;
    if (piece.again && element.isConnected) {
      piece.again = false;
      soon(element);
    }
  }
}

async function use(element, piece, url, answer) {
  if (answer.status === 403 || answer.status === 404) {
    gone(element);
    return;
  }
  if (answer.status !== 200) return; // 304 and 204: unchanged; anything else: the next check tries again
  const parsed = parse(answer.text);
  await laterPages(element, parsed);
  if (!element.isConnected) return;
  Object.assign(piece, { url, etag: answer.etag });
  update(element, pick(element, parsed));
}

// Which ticket is open changes without a new list; the row of the open one is marked by the server.
function address(element) {
  const url = new URL(element.dataset.liveUrl, location.href);
  if (url.searchParams.has("open")) url.searchParams.set("open", openTicket() ?? "");
  return url.pathname + url.search;
}

function parse(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

function pick(element, parsed) {
  const chosen = element.dataset.livePick ? parsed.querySelector(element.dataset.livePick) : null;
  return chosen ?? (element.id && parsed.getElementById(element.id)) ?? parsed.body;
}

// A list shows more than its first page once somebody asked for later ones: those are fetched too, so that a row
// which slid from the first page to the second does not vanish.
async function laterPages(element, parsed) {
  if (element.id !== "ticket-list") return;
  const shown = element.querySelectorAll("[data-ticket]").length;
  const list = pick(element, parsed);
  for (let pages = 1; pages < MOST_PAGES && list.querySelectorAll("[data-ticket]").length < shown; pages += 1) {
    const edge = parsed.querySelector("#list-older a");
    if (!edge) return;
    const answer = await get(edge.getAttribute("hx-get") ?? edge.href);
    if (answer.status !== 200) return;
    const following = parse(answer.text);
    const more = pick(element, following);
    const kept = new Set([...list.children].map((row) => row.id));
    parsed.querySelector("#list-older")?.remove();
    for (const row of [...more.children]) if (!kept.has(row.id)) list.append(row);
    const nextEdge = following.querySelector("#list-older");
    if (nextEdge && !list.contains(nextEdge)) parsed.body.append(nextEdge);
  }
}

function update(element, fresh) {
  const before = new CustomEvent("live:before", { bubbles: true, detail: { fresh } });
  element.dispatchEvent(before);
  for (const { name, value } of fresh.attributes) {
    if (name.startsWith("data-") && name !== "data-live-url") element.setAttribute(name, value);
  }
  morphChildren(element, fresh);
  window.htmx?.process(element);
  element.dispatchEvent(new CustomEvent("live:updated", { bubbles: true }));
}

function gone(element) {
  element.removeAttribute("data-live-on");
  document.dispatchEvent(new CustomEvent("ticket-gone", { detail: { element } }));
}

function show(now) {
  if (now === "live") {
    clearTimeout(offlineTimer);
    offlineTimer = 0;
    say("live", "dot--fine");
  } else if (now === "lost" && !offlineTimer) {
    // Counted from the first failure: each new try fails anew.
    say("live_reconnecting", "dot--soon");
    offlineTimer = setTimeout(() => say("live_offline", "dot--late"), OFFLINE_AFTER);
  }
}

function say(key, dot) {
  for (const place of document.querySelectorAll("[data-live-state]")) {
    place.dataset.liveState = key;
    (place.querySelector("[data-live-words]") ?? place).textContent = word(key);
    place.querySelector(".dot")?.classList.remove("dot--fine", "dot--soon", "dot--late");
    place.querySelector(".dot")?.classList.add(dot);
  }
}
