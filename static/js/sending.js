// Sending a reply: what is asked before, what becomes of every answer, and the ten seconds to take it back.
//
// Whatever happens, the words stay in the box until the server has said that it took them.

import { fetchNow, refresh } from "./live.js";
import { act } from "./messages.js";
import { personalData } from "./private.js";
import { get, post, signInAgain } from "./server.js";
import { own, remember } from "./store.js";
import { seen, toEnd } from "./timeline.js";
import { toast } from "./toast.js";
import { privateWay } from "./ways.js";
import { length } from "./weighted.js";
import { word } from "./words.js";

const SENT = "sent";

/** Send what the composer holds. `then` is "", "wait" or "solve"; the rest is what the person has agreed to. */
export async function send(composer, then, { anyway = false, isMeantPublic = false } = {}) {
  const { form, way, uploads } = composer;
  const field = composer.texts.reply;
  const text = field.value;
  if (composer.isBusy || !way) return;
  const problem = whyNot(composer, text);
  if (problem) {
    composer.say(problem);
    return;
  }
  const found = way.isPublic && !isMeantPublic ? personalData(text) : [];
  if (found.length) {
    askAboutPrivate(composer, found, then, anyway);
    return;
  }
  composer.busy(true);
  composer.clearCallout();
  await composer.drafts.reply.hold();
  const where = form.querySelector(`[data-where="${way.key}"]`);
  const ticked = (name) => [...(where?.querySelectorAll(`input[name="${name}"]:checked`) ?? [])].map((box) => box.value);
  let { status, data } = await post(form.action, {
    contact: way.key,
    text,
    seen: seen() ?? form.dataset.seen,
    then,
    files: uploads.tokens,
    cc: ticked("cc"),
    to_reply_to: ticked("to_reply_to"),
    anyway: anyway ? "1" : "0",
    key: keyOf(composer, text),
  });
  // No answer is not a no: the reply may have been taken. Sending it again would say it twice.
  if (status === 0 && (await isThere(text))) status = 200;
  const wasSent = status === 200;
  if (wasSent) {
    composer.attempt = null;
    if (field.value.startsWith(text)) field.value = field.value.slice(text.length);
    uploads.clear();
    tellOtherTabs(composer.ticket, text);
  }
  composer.drafts.reply.release(wasSent);
  composer.busy(false);
  if (wasSent) composer.forgetWay();
  composer.count();
  if (wasSent) sent(composer.ticket, data);
  else refused(composer, status, data, then);
}

// Whoever signed in again in a tab of its own has the same words in two boxes, and would send them twice.
function tellOtherTabs(ticket, text) {
  remember(own(SENT), { ticket, text, at: Date.now() });
  remember(own(SENT), null);
}

/** Hear of replies that this person sends from another tab: `sent(ticket, text)`. Once per page. */
export function hearOtherTabs(sent) {
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== own(SENT) || !newValue) return;
    const { ticket, text } = JSON.parse(newValue);
    sent(ticket, text);
  });
}

/** Keep the internal note. */
export async function keepNote(composer) {
  const field = composer.texts.note;
  const text = field.value;
  if (composer.isBusy) return;
  if (!text.trim()) {
    composer.say(word("write_something"));
    return;
  }
  composer.busy(true);
  composer.clearCallout();
  await composer.drafts.note.hold();
  const { status, data } = await post(composer.form.dataset.noteUrl, { text });
  const wasKept = status === 200;
  if (wasKept && field.value.startsWith(text)) field.value = field.value.slice(text.length);
  composer.drafts.note.release(wasKept);
  composer.busy(false);
  if (wasKept) {
    toast(word("note_kept"));
    showNewest();
  } else if (status === 401) signIn(composer);
  else if (!data.error && (status === 403 || status === 404)) composer.say(word("gone"), { kind: "late" });
  else composer.say(data.error || word("note_lost"), { actions: [{ words: word("try_again"), run: () => keepNote(composer) }] });
}

// The same words sent again because no answer came carry the same key, so that the server can tell a repetition from a
// second reply. Browsers repeat a request by themselves, too, when a kept connection turns out to be dead.
function keyOf(composer, text) {
  if (composer.attempt?.text !== text || composer.attempt.way !== composer.way.key) {
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    composer.attempt = { text, way: composer.way.key, key };
  }
  return composer.attempt.key;
}

function whyNot(composer, text) {
  const { way, uploads } = composer;
  if (uploads.isBusy) return word("file_waits");
  if (!text.trim() && !uploads.tokens.length) return word("write_something");
  const over = way.limit ? length(text.trim(), way.surface) - way.limit : 0;
  return over > 0 ? word("too_long", { n: over }) : "";
}

function askAboutPrivate(composer, found, then, anyway) {
  const field = composer.texts.reply;
  const words = word("everybody_reads", {
    what: [...new Set(found.map((one) => word(one.kind)))].join(", "),
    found: found.map((one) => one.found).join(", "),
  });
  const takeOut = () => {
    // From the end, so that what is taken out does not move what is still to be found.
    for (const { found: part } of [...found].reverse()) {
      const at = field.value.lastIndexOf(part);
      if (at >= 0) field.setRangeText("", at, at + part.length, "end");
    }
    field.focus();
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const actions = [{ words: word("take_out"), run: takeOut }];
  const quiet = privateWay(composer.tabs());
  if (quiet) {
    actions.push({
      words: word("send_other_way", { surface: quiet.name }),
      run: () => composer.choose(quiet.key, { focus: true }),
    });
  }
  actions.push({ words: word("send_anyway"), run: () => send(composer, then, { anyway, isMeantPublic: true }) });
  composer.say(words, { actions });
}

function refused(composer, status, data, then) {
  const again = { words: word("try_again"), run: () => send(composer, then, { isMeantPublic: true }) };
  if (status === 409) {
    composer.say(data.error || word("not_sent"), {
      lines: data.arrived ?? [],
      actions: [
        { words: word("show_it"), run: () => showNewest(composer) },
        { words: word("send_anyway"), run: () => send(composer, then, { anyway: true, isMeantPublic: true }) },
      ],
    });
  } else if (status === 401) signIn(composer);
  else if (status === 422 || (status === 400 && data.error)) composer.say(data.error || word("not_sent"), { kind: "late" });
  else if (status === 403 || status === 404) composer.say(word("gone"), { kind: "late" });
  else if (status === 0 && navigator.onLine) composer.say(word("answer_lost"), { kind: "late", actions: [again] });
  else composer.say(word("not_sent"), { kind: "late", actions: [again] });
}

function signIn(composer) {
  composer.drafts[composer.mode].keepHere();
  // In a tab of its own: this one keeps the words, and sends with the new session afterwards.
  composer.say(word("signed_out"), { kind: "late", actions: [{ words: word("sign_in"), href: signInAgain({ isWriting: true }) }] });
}

function sent(ticket, data) {
  showNewest();
  if (!data.message) return; // it was found on the timeline, where its bubble has its own "Undo"
  const seconds = data.undo_seconds ?? 10;
  const away = toast(word("leaves_in", { n: seconds }), {
    stays: seconds * 1000,
    tick: (element, left) => { element.textContent = word("leaves_in", { n: left }); },
    act: { words: word("undo"), run: () => act("undo", data.message, ticket) },
  });
  // Taken back on its bubble, it does not leave any more.
  const untilThen = { signal: AbortSignal.timeout(seconds * 1000) };
  document.addEventListener("reply-back", ({ detail }) => Number(detail.message) === data.message && away(), untilThen);
}

async function showNewest(composer) {
  const entries = document.getElementById("timeline-entries");
  if (entries) await fetchNow(entries);
  toEnd();
  composer?.focus();
  refresh("lists");
}

// Whether a reply with just these words has appeared on the timeline since it was last fetched.
async function isThere(text) {
  const shown = document.getElementById("timeline-entries");
  if (!shown) return false;
  const { status, text: page } = await get(shown.dataset.liveUrl);
  if (status !== 200) return false;
  const parsed = new DOMParser().parseFromString(page, "text/html");
  const plain = (given) => given.replace(/\s+/g, "");
  return [...parsed.querySelectorAll("#timeline-entries > [id]")].some((entry) => {
    if (document.getElementById(entry.id)) return false;
    const words = entry.querySelector(".bubble--out .bubble__text");
    return words !== null && plain(words.textContent) === plain(text);
  });
}
