// Times that stay true while the page is open: how long is left, how long ago, the hour on the viewer's own clock.

import { now } from "./server.js";
import { word } from "./words.js";

const EVERY = 15_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SOON = 30 * MINUTE;

/** A length of time in the shortest words: 8 min, 1 h 20, 3 h, 2 d. The same rule as the server's. */
export function span(milliseconds) {
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 60) return word("minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 48) return word("days", { d: Math.floor(hours / 24) });
  if (rest && hours < 10) return word("hours", { h: hours, m: String(rest).padStart(2, "0") });
  return word("hours_plain", { h: hours });
}

/** Bring every time below `root` up to date. */
export function freshen(root = document) {
  const present = now();
  for (const element of root.querySelectorAll(".due[data-due]")) due(element, present);
  for (const element of root.querySelectorAll("time[datetime][data-format]")) time(element, present);
}

/** Keep them so. Once per page; others listen to "clock:tick" for the same beat. */
export function start() {
  const beat = () => {
    freshen();
    document.dispatchEvent(new CustomEvent("clock:tick", { detail: { now: now() } }));
  };
  setInterval(beat, EVERY);
  document.addEventListener("visibilitychange", () => !document.hidden && beat());
  document.addEventListener("live:updated", ({ target }) => freshen(target));
  beat();
}

function due(element, present) {
  const left = Date.parse(element.dataset.due) - present;
  if (Number.isNaN(left)) return;
  const words = left < 0 ? word("overdue", { time: span(-left) }) : span(left);
  write(element, words);
  element.classList.toggle("due--late", left < 0);
  element.classList.toggle("due--soon", left >= 0 && left <= SOON);
}

function time(element, present) {
  const at = Date.parse(element.dateTime);
  if (Number.isNaN(at)) return;
  const language = document.documentElement.lang || undefined;
  const date = new Date(at);
  if (!element.title) element.title = date.toLocaleString(language, { dateStyle: "full", timeStyle: "medium" });
  const ago = present - at;
  if (element.dataset.format === "relative" && ago >= -MINUTE && ago < HOUR) {
    write(element, ago < MINUTE ? word("now") : word("minutes_ago", { n: Math.floor(ago / MINUTE) }));
  } else if (date.toDateString() === new Date(present).toDateString()) {
    write(element, date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }));
  }
}

// Only the words change: an icon that stands before them stays. Nothing is written that stands there already,
// so that a selection in it survives.
function write(element, words) {
  const place = element.querySelector("[data-words]") ?? element;
  const text = [...place.childNodes].reverse().find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!text) place.append(words);
  else if (text.data.trim() !== words) text.data = text.previousSibling ? ` ${words}` : words;
}
