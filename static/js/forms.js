// Forms that are a page of their own (a first mail, a call written down): what is typed in them outlives the page, the
// button is pressed once, and Enter in a line sends nothing yet.

import { own, recall, remember } from "./store.js";
import { toast } from "./toast.js";
import { word } from "./words.js";

const PAUSE = 300;
// What is older was meant for somebody else.
const KEPT_FOR = 12 * 60 * 60_000;
const STAYS = 20_000;
// An answer that has not come by then may have been stopped: the button works again. The server knows repetitions.
const UNHEARD = 10_000;
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

// The page after a form was sent: the server has taken it, where it leads here from the form itself. From the sign-in
// it does not; nor does a link on a page of error, which has the form's own address.
function arrived(form) {
  if (!performance.getEntriesByType("navigation")[0]?.redirectCount) return;
  const from = URL.canParse(document.referrer) ? new URL(document.referrer) : null;
  if (!from || from.origin !== location.origin) return;
  const place = from.pathname + from.search;
  if (all()[place]?.isSent && !(form && place === here())) put(place, null);
}

function keep(form) {
  const place = here();
  const wasRefused = document.querySelector("[role=alert]") !== null;
  // What was refused is nowhere but in this page: it is kept though nothing more was typed.
  const before = wasRefused ? null : values(form);
  const kept = all()[place];
  if (kept) {
    // What came back with an error is newer than what is kept.
    if (wasRefused || same(kept.values, before)) put(place, { ...kept, isSent: false });
    else whenReady(() => restore(form, kept.values, before, place));
  }
  let timer = 0;
  let sent = null;
  const save = () => {
    clearTimeout(timer);
    const now = values(form);
    // An answer later than UNHEARD still answers these words.
    const isSent = same(now, sent);
    put(place, same(now, before) && !isSent ? null : { values: now, at: Date.now(), isSent });
  };
  const press = () => {
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, UNHEARD);
  };
  form.addEventListener("input", () => {
    if (form.dataset.sent) return; // what was sent is what must be known of, when it is taken
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    press();
    sent = values(form);
    save();
  });
  form.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-moves-on]");
    // In a tab of its own it leaves this page, and its words, where they are.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    clearTimeout(timer);
    moveOn(form, before, link);
    put(place, null);
    press();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit();
    } else if (event.target.matches(LINES)) event.preventDefault(); // half a form is not meant to go
  });
  addEventListener("pagehide", () => form.dataset.sent || save());
  // Come back to by the browser's own way: it can be sent again.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) delete form.dataset.sent;
  });
}

// What was typed goes along to the form the link leads to; kept here, it would meet the next caller. What nobody touched
// stays: there the page knows better.
function moveOn(form, before, link) {
  const there = link.pathname + link.search;
  const typed = Object.entries(values(form)).filter(([name, value]) => before?.[name] !== value);
  put(there, { values: { ...all()[there]?.values, ...Object.fromEntries(typed) }, at: Date.now(), isSent: false });
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
  if (same(values(form), before)) return; // what was kept is of fields that this form does not have
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
