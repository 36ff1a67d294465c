// Who else has this ticket open. Each page says every 15 s that it is there, and whether somebody writes in it.

import { composer } from "./composer.js";
import { post } from "./server.js";
import { word } from "./words.js";

const EVERY = 15_000;
// Somebody who stopped typing this long ago thinks, or is at lunch.
const WRITING = 10_000;

let url = "";
let wasWriting = false;

/** Say that this page looks at the ticket whose composer is on it, and at no other any more. */
export function begin() {
  const now = document.querySelector("[data-looking-url]")?.dataset.lookingUrl ?? "";
  if (now === url) return;
  leave();
  url = now;
  if (url && !document.hidden) look();
}

/** Keep saying so. Once per page. */
export function start() {
  setInterval(() => {
    if (!document.hidden) look();
  }, EVERY);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : look()));
  addEventListener("pagehide", leave);
  document.addEventListener("composer:writing", () => {
    if (!wasWriting) look();
  });
  document.addEventListener("live:names", ({ detail }) => {
    const ticket = /\/t\/(\d+)\//.exec(url)?.[1];
    if (ticket && !document.hidden && detail.names.includes(`looking-${ticket}`)) look();
  });
}

function leave() {
  if (url) post(url, { gone: "1" }, { last: true });
  wasWriting = false;
}

async function look() {
  if (!url) return;
  const asked = url;
  wasWriting = Date.now() - (composer()?.wroteAt ?? 0) < WRITING;
  const { status, data } = await post(asked, { writing: wasWriting ? "1" : "0" });
  if (status === 200 && asked === url) show(data.others ?? []);
}

function show(others) {
  const place = document.getElementById("others");
  if (!place) return;
  const said = others.map((one) => word(one.writing ? "is_writing" : "is_looking", { name: one.name }));
  // Read out when it changes, not every fifteen seconds.
  if (place.dataset.said === said.join("|")) return;
  place.dataset.said = said.join("|");
  place.replaceChildren(...others.flatMap((one, index) => {
    const avatar = document.createElement("span");
    Object.assign(avatar, { className: "avatar", textContent: one.initials });
    avatar.setAttribute("aria-hidden", "true");
    const parts = [avatar, ` ${said[index]} `];
    if (one.writing) parts.push(dots());
    return parts;
  }));
}

function dots() {
  const holder = document.createElement("span");
  holder.className = "writing";
  holder.setAttribute("aria-hidden", "true");
  for (let count = 0; count < 3; count += 1) holder.append(document.createElement("i"));
  return holder;
}
