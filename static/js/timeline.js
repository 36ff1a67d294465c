// The timeline's scroll while messages arrive, and what of it the reader has had on screen.

import { icon } from "./icon.js";
import { word } from "./words.js";

const NEAR = 48;
// What may take away a way to answer, or bring it back: words that were deleted, an answer that was refused.
const TURNS = "[data-deleted], .failure";

let bottomBefore = true;
let anchor = null;
let kept = null;
let incoming = new Set();
let turnsBefore = 0;
let older = null;
const watched = new WeakSet();

const entries = () => document.getElementById("timeline-entries");
const scrollerOf = (element) => element?.closest(".timeline") ?? null;
// Measured rather than computed from scrollTop, which counts the other way where the pane grows upwards
// (flex-direction: column-reverse).
const below = (scroller) => entries().getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom;
const isAtBottom = (scroller) => below(scroller) < NEAR;

/** The arrival number of the newest thing the reader has had on screen, or null where there is no timeline. */
export function seen() {
  const element = entries();
  return element ? Number(element.dataset.seen ?? element.dataset.arrivals ?? 0) : null;
}

/** Show the end of the timeline, where the newest is. */
export function toEnd() {
  const scroller = scrollerOf(entries());
  if (!scroller) return;
  end(scroller);
  noteSeen(scroller);
}

function end(scroller) {
  scroller.scrollTop += below(scroller);
}

/** Begin with a timeline that has just come onto the page: at the first unread message, or at the end. */
export function begin() {
  const element = entries();
  const scroller = scrollerOf(element);
  if (!scroller || watched.has(element)) return;
  watched.add(element);
  element.dataset.seen = element.dataset.arrivals ?? "0";
  const unread = element.querySelector(".unread-line");
  if (!location.hash.startsWith("#message-")) {
    if (unread) scroller.scrollTop += unread.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 24;
    else end(scroller);
  }
  let wasAtBottom = isAtBottom(scroller);
  scroller.addEventListener("scroll", () => {
    wasAtBottom = isAtBottom(scroller);
    if (wasAtBottom) noteSeen(scroller);
  }, { passive: true });
  // Pictures that load and a composer that grows must not push the newest words out of sight.
  const sizes = new ResizeObserver(() => {
    if (!element.isConnected) sizes.disconnect();
    else if (wasAtBottom) end(scroller);
  });
  sizes.observe(element);
  sizes.observe(scroller);
}

/** Listen to what changes the timeline. Once per page. */
export function start() {
  document.addEventListener("live:before", ({ target, detail }) => {
    if (target.id !== "timeline-entries") return;
    const scroller = scrollerOf(target);
    keepOlder(target, detail.fresh);
    incoming = new Set(idsOf(target));
    turnsBefore = target.querySelectorAll(TURNS).length;
    bottomBefore = isAtBottom(scroller);
    anchor = bottomBefore ? null : asKept(firstVisible(target, scroller));
  });
  document.addEventListener("live:updated", ({ target }) => {
    if (target.id !== "timeline-entries") return;
    const scroller = scrollerOf(target);
    const came = idsOf(target).filter((id) => !incoming.has(id));
    if (bottomBefore) {
      end(scroller);
      noteSeen(scroller);
    } else {
      if (anchor?.element.isConnected) {
        scroller.scrollTop += topOf(anchor.element, scroller) - anchor.top;
        kept = { ...anchor, came: topOf(anchor.element, scroller) };
      }
      if (came.length) offerNewest(scroller);
      // Nothing came that has to be read: an answer's state, a colleague's act.
      else target.dataset.seen = target.dataset.arrivals ?? target.dataset.seen;
    }
    const fromCustomer = came.some((id) => document.getElementById(id)?.querySelector(".bubble--in"));
    if (fromCustomer) {
      announce();
      document.dispatchEvent(new CustomEvent("customer-wrote"));
    } else if (target.querySelectorAll(TURNS).length !== turnsBefore) {
      document.dispatchEvent(new CustomEvent("ways-changed"));
    }
  });
  document.addEventListener("visibilitychange", () => {
    const scroller = scrollerOf(entries());
    if (scroller && !document.hidden && isAtBottom(scroller)) noteSeen(scroller);
  });
  // Older messages go in above: the words one reads stay where they are.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const scroller = detail.target?.closest?.(".timeline");
    older = scroller ? { scroller, below: below(scroller) } : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (!older?.scroller.isConnected) return;
    older.scroller.scrollTop += below(older.scroller) - older.below;
    older = null;
  });
}

// The answer holds the newest stretch. What the reader loaded above it stays, with the link to what is older still.
function keepOlder(target, fresh) {
  const freshIds = new Set(idsOf(fresh));
  const shown = [...target.children];
  const first = shown.findIndex((child) => freshIds.has(child.id));
  if (first < 0) return;
  const above = shown.slice(0, first);
  if (!above.some((child) => isEntry(child))) return;
  fresh.querySelector("#timeline-older")?.remove();
  fresh.prepend(...above.map((child) => child.cloneNode(true)));
}

const isEntry = (child) => Boolean(child.id) && child.id !== "timeline-older" && child.id !== "timeline-empty";
const idsOf = (element) => [...element.children].filter(isEntry).map((child) => child.id);

function firstVisible(target, scroller) {
  const edge = scroller.getBoundingClientRect().top;
  const element = [...target.children].find((child) => child.getBoundingClientRect().bottom > edge);
  return element ? { element, top: topOf(element, scroller) } : null;
}

// A browser scrolls by whole pixels. Where nobody scrolled since, what it rounded off is made up for with the next
// message: else the words one reads would creep away with a hundred of them.
function asKept(found) {
  const isSame = found && kept?.element === found.element && Math.abs(kept.came - found.top) < 0.1;
  return isSame ? { ...found, top: kept.top } : found;
}

function topOf(element, scroller) {
  return element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

function noteSeen(scroller) {
  const element = entries();
  if (document.hidden || scrollerOf(element) !== scroller) return;
  element.dataset.seen = element.dataset.arrivals ?? "0";
  document.getElementById("timeline-new")?.remove();
}

function offerNewest(scroller) {
  if (document.getElementById("timeline-new")) return;
  // Beside the scroller, floating over its end.
  const place = document.createElement("div");
  Object.assign(place, { id: "timeline-new", className: "timeline-new" });
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button button--small" });
  button.append(icon("chevron-down", true), ` ${word("new_messages")}`);
  button.addEventListener("click", toEnd);
  place.append(button);
  scroller.after(place);
}

function announce() {
  let region = document.getElementById("announcements");
  if (!region) {
    region = document.createElement("p");
    Object.assign(region, { id: "announcements", className: "visually-hidden" });
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  const name = document.querySelector("#ticket-head .pane-head__title")?.textContent.trim();
  const words = name ? word("new_message_from", { name }) : word("new_message");
  // The same words twice are not read twice: emptied first.
  region.textContent = "";
  setTimeout(() => { region.textContent = words; }, 50);
}
