// Forms that are a page of their own (a first mail, a call written down): what is typed in them outlives the page, the
// button is pressed once, and Enter in a line sends nothing yet.

import { own, recall, remember } from "./store.js";
import { toast } from "./toast.js";
import { word } from "./words.js";

const PAUSE = 300;
// What is older was meant for somebody else.
const KEPT_FOR = 12 * 60 * 60_000;
const STAYS = 20_000;
// Only what a person fills in: the server's own marks are new with every page.
const FIELDS = "input[name]:not([type=hidden]), textarea[name], select[name]";
const LINES = "input:not([type=checkbox], [type=radio], [type=button])";

const keyName = () => own("forms");

/** Keep the forms of this page that ask for it. Once per page. */
export function start() {
  const form = document.querySelector("form[data-kept]");
  arrived(form);
  if (form) keep(form);
}

function all() {
  const kept = recall(keyName());
  const fresh = Object.entries(kept && typeof kept === "object" ? kept : {}).filter(([, one]) => one.at > Date.now() - KEPT_FOR);
  return Object.fromEntries(fresh);
}

function put(place, value) {
  const kept = all();
  if (value === null) delete kept[place];
  else kept[place] = value;
  remember(keyName(), Object.keys(kept).length ? kept : null);
}

const here = () => location.pathname + location.search;

// The page after a form was sent: the server has taken it, where it leads here from the form itself. From the sign-in,
// or after an error, it does not.
function arrived(form) {
  const from = URL.canParse(document.referrer) ? new URL(document.referrer) : null;
  if (!from || from.origin !== location.origin) return;
  const place = from.pathname + from.search;
  if (all()[place]?.isSent && !(form && place === here())) put(place, null);
}

function keep(form) {
  const place = here();
  const before = values(form);
  const kept = all()[place];
  if (kept) {
    // What came back with an error is newer than what is kept.
    const wasRefused = document.querySelector("[role=alert]") !== null;
    if (wasRefused || same(kept.values, before)) put(place, { ...kept, isSent: false });
    else whenReady(() => restore(form, kept.values, before, place));
  }
  let timer = 0;
  const save = (isSent) => {
    clearTimeout(timer);
    const now = values(form);
    put(place, same(now, before) && !isSent ? null : { values: now, at: Date.now(), isSent });
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => save(false), PAUSE);
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    save(true);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit();
    } else if (event.target.matches(LINES)) event.preventDefault(); // half a form is not meant to go
  });
  addEventListener("pagehide", () => form.dataset.sent || save(false));
  // Come back to by the browser's own way: it can be sent again.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) delete form.dataset.sent;
  });
}

function values(form) {
  const found = {};
  for (const field of form.querySelectorAll(FIELDS)) {
    if (field.type === "radio" || field.type === "checkbox") {
      if (field.checked) found[field.name] = field.value;
    } else found[field.name] = field.value;
  }
  return found;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function restore(form, kept, before, place) {
  fill(form, kept);
  const empty = () => {
    put(place, null);
    fill(form, before);
  };
  toast(word("form_back"), { stays: STAYS, act: { words: word("form_anew"), run: empty } });
}

// htmx, which asks who a number is, looks at the page before whoever listens after it.
function whenReady(run) {
  if (document.readyState === "complete") run();
  else document.addEventListener("DOMContentLoaded", run, { once: true });
}

function fill(form, kept) {
  write(form, kept);
  const asking = form.querySelector("[hx-get]");
  if (!asking?.value) return;
  // The answer brings fields of its own.
  form.addEventListener("htmx:afterSwap", ({ target }) => write(target, kept), { once: true });
  asking.dispatchEvent(new Event("input", { bubbles: true }));
}

function write(root, kept) {
  for (const field of root.querySelectorAll(FIELDS)) {
    if (!(field.name in kept)) continue;
    if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === kept[field.name];
    else field.value = kept[field.name];
  }
}
