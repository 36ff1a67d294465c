// What went wrong or must be asked, said where one works: what happened, what was kept, what can be done.

import { icon } from "./icon.js";

/**
 * Say it in `place`, instead of what was said there. `lines` are quoted below the words; `actions` are
 * {words, run} buttons or {words, href} links to a new tab. Returns a function that takes it away.
 */
export function callout(place, text, { kind = "soon", lines = [], actions = [] } = {}) {
  const box = document.createElement("div");
  box.className = `callout callout--${kind} composer__warning`;
  box.setAttribute("role", "alert");
  const body = document.createElement("div");
  body.className = "callout__body";
  const words = document.createElement("p");
  words.textContent = text;
  body.append(words);
  if (lines.length) body.append(listOf(lines));
  const buttons = document.createElement("span");
  buttons.className = "composer__warning-actions";
  const away = () => box.remove();
  for (const action of actions) buttons.append(action.href ? linkOf(action) : buttonOf(action, away));
  box.append(icon("alert-triangle", true), body, buttons);
  place.replaceChildren(box);
  return away;
}

function listOf(lines) {
  const list = document.createElement("ul");
  list.className = "callout__lines";
  for (const line of lines) {
    const item = document.createElement("li");
    item.dir = "auto";
    item.textContent = line;
    list.append(item);
  }
  return list;
}

function buttonOf({ words, run }, away) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button button--small", textContent: words });
  button.addEventListener("click", () => {
    away();
    run?.();
  });
  return button;
}

function linkOf({ words, href }) {
  const link = document.createElement("a");
  Object.assign(link, { className: "button button--small", href, textContent: words, target: "_blank", rel: "noopener" });
  return link;
}
