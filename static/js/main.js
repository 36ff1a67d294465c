// Where the page's behaviour begins. Each module does one thing, and nothing where its element is not on the page.

import * as acting from "./acting.js";
import { callout } from "./callout.js";
import * as composer from "./composer.js";
import * as forms from "./forms.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as live from "./live.js";
import * as looking from "./looking.js";
import * as mail from "./mail.js";
import * as menus from "./menus.js";
import * as messages from "./messages.js";
import * as ringing from "./ringing.js";
import * as search from "./search.js";
import * as selection from "./selection.js";
import { headers, signInAgain } from "./server.js";
import * as timeline from "./timeline.js";
import * as timer from "./timer.js";
import * as times from "./times.js";
import { takeOver, toast } from "./toast.js";
import { word } from "./words.js";

// What must be done again for every piece that comes onto the page.
function begin() {
  composer.begin();
  timeline.begin();
  looking.begin();
}

function failed({ detail }) {
  if (detail.xhr?.status === 401) return; // htmx loads the page again, which leads to the sign-in
  const { verb, path } = detail.requestConfig ?? {};
  const again = { words: word("try_again"), run: () => retry(detail) };
  const place = document.getElementById("load-failed") ?? failurePlace();
  callout(place, word("failed_load"), { kind: "late", actions: verb === "get" && path ? [again] : [] });
}

function retry({ elt, target, requestConfig }) {
  const { path } = requestConfig;
  // The link itself where it is still there: only it knows what else belongs to the step, such as the address.
  if (elt?.isConnected && elt !== document.body) elt.click();
  else window.htmx.ajax("GET", path, { target });
}

function failurePlace() {
  const place = document.createElement("div");
  Object.assign(place, { id: "load-failed", className: "load-failed" });
  (document.querySelector("#tickets .list-tools") ?? document.body.firstElementChild).after(place);
  return place;
}

function isWriting() {
  return [...document.querySelectorAll("form.composer textarea")].some((field) => field.value.trim());
}

// Takes the words about the session away again.
let away = null;

// With a key held down a link means another tab or window: the browser's own business, of which htmx must not hear.
function elsewhere(event) {
  const isMeant = event.ctrlKey || event.metaKey || event.shiftKey;
  if (isMeant && event.target.closest?.("a[href][hx-get]")) event.stopPropagation();
}

function listen() {
  document.addEventListener("click", elsewhere, { capture: true });
  // The token of this page may be older than the session: see csrfToken().
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    detail.headers["X-CSRFToken"] = headers()["X-CSRFToken"];
  });
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    document.getElementById("load-failed")?.replaceChildren();
    begin();
    list.markOpen();
    times.freshen(detail.target);
    live.catchUp(document);
  });
  document.addEventListener("main:came", begin);
  document.addEventListener("htmx:historyRestore", () => {
    begin();
    list.markOpen();
    live.refresh();
  });
  document.addEventListener("ticket-gone", () => toast(word("gone"), { stays: 0 }));
  document.addEventListener("signed-out", () => {
    away?.();
    const link = { href: signInAgain({ isWriting: isWriting() }), words: word("sign_in"), newTab: true };
    away = toast(word("signed_out"), { stays: 0, link });
  });
  document.addEventListener("signed-in", () => away?.());
}

// htmx would copy style attributes while it settles a swap, which the strict policy forbids and reports.
if (window.htmx) window.htmx.config.attributesToSettle = ["class", "width", "height"];
listen();
takeOver();
const MODULES = [
  times, list, selection, menus, acting, keys, search, mail, messages,
  timeline, composer, looking, timer, forms, ringing, live,
];
for (const module of MODULES) module.start();
begin();
