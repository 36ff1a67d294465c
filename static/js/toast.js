// Short words at the edge of the page, with at most one thing to do about them.

import { word } from "./words.js";

const STAYS = 6000;

/**
 * Say something. `act` is {words, run}: a button; `stays` how many milliseconds (0: until closed); `tick(element)`
 * is called each second instead of pausing, for words that count down to something that does not wait.
 * Returns a function that takes it away.
 */
export function toast(text, { act = null, link = null, stays = STAYS, tick = null } = {}) {
  const region = place();
  const box = document.createElement("div");
  box.className = "toast";
  const words = document.createElement("span");
  words.className = "toast__words";
  words.textContent = text;
  box.append(words);
  if (tick) {
    // Counting aloud each second would drown everything else: a screen reader hears the first words only.
    const said = document.createElement("span");
    Object.assign(said, { className: "visually-hidden", textContent: text });
    words.setAttribute("aria-hidden", "true");
    box.append(said);
  }
  let timer = 0;
  let left = stays;
  let since = 0;

  function away() {
    clearTimeout(timer);
    clearInterval(timer);
    box.remove();
  }
  if (link) {
    const anchor = document.createElement("a");
    Object.assign(anchor, { className: "button button--small", href: link.href, textContent: link.words });
    if (link.newTab) Object.assign(anchor, { target: "_blank", rel: "noopener" });
    box.append(anchor);
  }
  if (act) {
    const button = buttonOf(act.words, "button button--small");
    button.addEventListener("click", () => {
      away();
      act.run();
    });
    box.append(button);
  }
  const close = buttonOf("×", "button button--quiet button--icon button--small");
  close.setAttribute("aria-label", word("dismiss"));
  close.addEventListener("click", away);
  box.append(close);

  if (tick) {
    timer = setInterval(() => {
      left -= 1000;
      if (left <= 0) away();
      else tick(words, Math.ceil(left / 1000));
    }, 1000);
  } else if (stays) {
    const run = () => {
      clearTimeout(timer);
      since = performance.now();
      timer = setTimeout(away, left);
    };
    const pause = () => {
      clearTimeout(timer);
      left = Math.max(1500, left - (performance.now() - since));
    };
    // Somebody who reads slowly, or is on the way to the button, keeps it.
    box.addEventListener("pointerenter", pause);
    box.addEventListener("focusin", pause);
    box.addEventListener("pointerleave", run);
    box.addEventListener("focusout", run);
    run();
  }
  region.append(box);
  while (region.children.length > 4) region.firstElementChild.remove();
  return away;
}

/** Take over the words that came with the page: they can be closed, and go, like all others. Once per page. */
export function takeOver() {
  for (const box of document.querySelectorAll("#toasts > .toast:not([id])")) {
    const text = box.textContent.trim();
    box.remove();
    toast(text);
  }
}

function place() {
  const found = document.getElementById("toasts");
  if (found) return found;
  const made = document.createElement("div");
  Object.assign(made, { id: "toasts", className: "toasts" });
  made.setAttribute("role", "status");
  made.setAttribute("aria-live", "polite");
  document.body.append(made);
  return made;
}

function buttonOf(words, classes) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: classes, textContent: words });
  return button;
}
