// The composer: where the words go, how long they are, how long there is time, and the words kept safe.

import { callout } from "./callout.js";
import * as card from "./card.js";
import { Draft } from "./drafts.js";
import { icon } from "./icon.js";
import { showLength } from "./length.js";
import { morphChildren } from "./morph.js";
import { hearOtherTabs, keepNote, send } from "./sending.js";
import { get, getJson } from "./server.js";
import { atBegins, fits, slashBegins, suggest, insert } from "./suggest.js";
import { toast } from "./toast.js";
import { Uploads, keepFor } from "./uploads.js";
import { isOpen, joinWay, keepWay, keptWay, openTab, select, showClocks, tabOf, wayOf } from "./ways.js";
import { word } from "./words.js";

// From here on it is said that the words are on their way: mostly it takes a tenth of that.
const SLOW = 1500;

class Composer {
  constructor(form) {
    this.form = form;
    this.ticket = form.dataset.ticket;
    this.isBusy = false;
    this.mode = "reply";
    this.way = null;
    this.wroteAt = 0;
    this.texts = { reply: form.querySelector("[data-text=reply]"), note: form.querySelector("[data-text=note]") };
    this.callouts = form.querySelector("[data-callouts]");
    this.drafts = { reply: this.draft("reply"), note: this.draft("note") };
    this.uploads = new Uploads({
      form,
      ticket: this.ticket,
      url: form.dataset.uploadUrl,
      refused: (text) => this.say(text),
      changed: () => this.count(),
    });
    this.suggestions();
    this.listen();
    for (const kind of ["reply", "note"]) this.restore(kind);
    this.uploads.recall();
    // Half-written words stay on the way they were begun on. What the page would choose by itself is where the customer
    // wrote last: an answer to a message, left for a moment, would stand there ready to be sent in public.
    const begun = this.texts.reply.value.trim() ? keptWay(this.ticket) : null;
    if (begun) this.standOn(begun);
    else this.choose(form.dataset.chosen);
    for (const button of form.querySelectorAll("button[disabled]")) button.disabled = false;
  }

  draft(kind) {
    return new Draft({
      ticket: this.ticket,
      kind,
      url: this.form.dataset.draftUrl,
      read: () => this.texts[kind].value,
      show: (text, how) => this.showSaved(text, how),
    });
  }

  // Words that this browser kept while the server could not be reached.
  restore(kind) {
    const left = this.drafts[kind].left(this.form.dataset.savedAt);
    if (left === null) return;
    this.texts[kind].value = left;
    this.drafts[kind].changed();
  }

  listen() {
    const { form } = this;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = event.submitter;
      if (button && "keepNote" in button.dataset) keepNote(this);
      else this.submit(button?.dataset.then ?? "");
      button?.closest("details")?.removeAttribute("open");
    });
    form.addEventListener("click", ({ target }) => {
      const tab = target.closest("[role=tab]");
      if (tab) this.choose(tab.dataset.way, { focus: true });
      if (target.closest("[data-templates]")) this.callTemplates();
    });
    form.querySelector("[role=tablist]").addEventListener("keydown", (event) => this.walkTabs(event));
    form.querySelector("[data-way-menu]")?.addEventListener("change", ({ target }) => this.choose(target.value));
    for (const [kind, field] of Object.entries(this.texts)) {
      field.addEventListener("input", () => {
        this.wroteAt = Date.now();
        this.drafts[kind].changed();
        if (kind === "reply") this.forgetWay();
        this.count();
        form.dispatchEvent(new CustomEvent("composer:writing", { bubbles: true }));
      });
      field.addEventListener("blur", () => this.drafts[kind].save());
      field.addEventListener("keydown", (event) => this.sendByKey(event));
    }
  }

  sendByKey(event) {
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    const control = event.ctrlKey || event.metaKey;
    if (!control && !event.altKey) return;
    event.preventDefault();
    if (this.mode === "note") keepNote(this);
    else if (event.altKey) this.submit("solve");
    else this.submit(event.shiftKey ? "wait" : "");
  }

  submit(then) {
    if (this.mode === "note") keepNote(this);
    else send(this, then);
  }

  // ------------------------------------------------------------- where it goes

  tabs() {
    return [...this.form.querySelectorAll("[role=tab]")];
  }

  /** Turn to a way to answer, or to the note. A closed way says why instead. */
  choose(key, { focus = false } = {}) {
    const tab = this.tabs().find((one) => one.dataset.way === key);
    if (!tab) return;
    if (tab.getAttribute("aria-disabled") === "true") {
      this.say(tab.title);
      return;
    }
    this.turnTo(tab);
    if (focus) this.focus();
  }

  // To the tab, closed or not: on a closed one words are safe until somebody says which way they go instead.
  turnTo(tab) {
    const key = tab.dataset.way;
    if (this.way) this.lastWay = this.way;
    this.mode = key === "note" ? "note" : "reply";
    this.way = this.mode === "note" ? null : wayOf(tab);
    select(this.tabs(), tab);
    for (const place of this.form.querySelectorAll("[data-where]")) place.hidden = place.dataset.where !== key;
    for (const panel of this.form.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== this.mode;
    this.form.querySelector(`[data-panel=${this.mode}]`).setAttribute("aria-labelledby", tab.id);
    this.form.querySelector("[data-send]").hidden = this.mode === "note";
    this.form.querySelector("[data-keep-note]").hidden = this.mode !== "note";
    this.form.querySelector("[data-templates]").hidden = this.mode === "note";
    this.form.classList.toggle("composer--note", this.mode === "note");
    this.uploads.takes = Boolean(this.way?.takesFiles);
    this.form.querySelector("[data-attach]").hidden = !this.uploads.takes;
    const menu = this.form.querySelector("[data-way-menu]");
    if (menu) menu.value = key;
    this.clearCallout();
    this.count();
    showClocks(this.tabs());
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (this.way?.isClosed) this.offerAnother(tab);
  }

  // To the way ({key, surface}) that the words in the box are to go.
  standOn(way) {
    const own = tabOf(this.tabs(), way);
    const tab = own ?? openTab(this.tabs());
    if (tab) this.turnTo(tab);
    if (!own) this.say(word("not_sent"));
  }

  /** Turn to answering: the way chosen last, or an open one. */
  reply() {
    if (this.mode === "note") {
      const last = this.lastWay ? tabOf(this.tabs(), this.lastWay) : null;
      const stays = last && (isOpen(last) || this.texts.reply.value.trim());
      const tab = stays ? last : openTab(this.tabs());
      if (tab) this.turnTo(tab);
    }
    this.focus();
  }

  /** Turn to the internal note. */
  note() {
    this.choose("note", { focus: true });
  }

  focus() {
    this.texts[this.mode].focus();
  }

  walkTabs(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const open = this.tabs().filter((tab) => tab.getAttribute("aria-disabled") !== "true");
    const at = open.indexOf(document.activeElement);
    const following = open[(at + step + open.length) % open.length];
    this.choose(following.dataset.way);
    following.focus();
  }

  // ------------------------------------------------------------- what it says

  /** Say something above the box. The words in it stay. */
  say(text, options = {}) {
    callout(this.callouts, text, options);
  }

  clearCallout() {
    this.callouts.replaceChildren();
  }

  /** While something is on its way no second one is sent; writing goes on, also for whom the button had the focus. */
  busy(yes) {
    this.isBusy = yes;
    clearTimeout(this.slow);
    // The server has a minute to answer. Whoever pressed and sees nothing presses again, or goes.
    if (yes) this.slow = setTimeout(() => this.showSaved(word("on_its_way"), "waits"), SLOW);
    else if (this.form.querySelector("[data-saved]").textContent.trim() === word("on_its_way")) this.showSaved("");
    if (yes && document.activeElement?.matches("[data-then], [data-keep-note]")) this.focus();
    this.form.toggleAttribute("aria-busy", yes);
    for (const button of this.form.querySelectorAll("[data-then], [data-keep-note]")) button.disabled = yes;
  }

  showSaved(text, how) {
    const place = this.form.querySelector("[data-saved]");
    place.replaceChildren();
    if (!text) return;
    place.append(icon({ saved: "cloud-check", waits: "clock" }[how] ?? "alert-triangle", true), ` ${text}`);
    place.classList.toggle("composer__saved--not", how === "unsaved");
  }

  /** The words or the way have changed: show how long they are there, and remember where they go. */
  count() {
    if (this.way && this.texts.reply.value.trim()) keepWay(this.ticket, this.way);
    showLength(this.form, this.way, this.texts.reply.value);
  }

  /** The box was emptied. One that was empty all along says nothing of words in another tab. */
  forgetWay() {
    if (!this.texts.reply.value.trim()) keepWay(this.ticket, null);
  }

  // ------------------------------------------------------------- what helps to write

  suggestions() {
    const { reply, note } = this.texts;
    const { dataset } = this.form;
    let people = null;
    let templates = null;
    let templatesOf = "";
    const templatesFor = async (query) => {
      const surface = this.way?.surface ?? "";
      if (!templates || templatesOf !== surface) {
        const data = await getJson(`${dataset.templatesUrl}?surface=${encodeURIComponent(surface)}`);
        if (!data) return [];
        [templates, templatesOf] = [data.templates, surface];
      }
      return templates
        .filter((one) => fits(one.name, query))
        .map((one) => ({ label: one.name, detail: one.text.slice(0, 80), text: one.text }));
    };
    this.templateList = suggest(reply, {
      label: this.form.querySelector("[data-templates]").getAttribute("aria-label"),
      begins: slashBegins,
      find: templatesFor,
    });
    suggest(note, {
      label: "@",
      begins: atBegins,
      find: async (query) => {
        people ??= (await getJson(dataset.colleaguesUrl))?.people ?? null;
        return (people ?? [])
          .filter((one) => fits(one.name, query))
          .map((one) => ({ label: one.name, detail: one.initials, text: `@${one.first_name} ` }));
      },
    });
  }

  // The button does what "/" at the start of a line does.
  callTemplates() {
    const field = this.texts.reply;
    field.focus();
    const before = field.value.slice(0, field.selectionStart);
    if (!slashBegins(before)) insert(field, before === "" || before.endsWith("\n") ? "/" : "\n/");
    else this.templateList.look();
  }

  // ------------------------------------------------------------- what comes back

  /** A reply was taken back: its words before what was written since, on the `way` ({key, surface, isPublic}) it was to go. */
  putBack(text, files, way) {
    const field = this.texts.reply;
    const since = field.value.trim();
    field.value = since && since !== text.trim() ? `${text}\n\n${field.value}` : text;
    this.uploads.restore(files);
    // Written since for the customer alone, words do not become public by those that join them.
    if (!(since && way.isPublic)) this.standOn(way);
    this.reply();
    this.drafts.reply.changed();
    this.count();
  }

  /** These words were sent from another tab: they need not be sent from here. */
  sentElsewhere(text) {
    const field = this.texts.reply;
    if (this.isBusy || field.value.trim() !== text.trim()) return;
    field.value = "";
    this.drafts.reply.release(true);
    this.uploads.clear();
    this.clearCallout();
    this.forgetWay();
    this.count();
    toast(word("sent_elsewhere"));
  }

  /** The customer wrote, or deleted something: windows are open longer, there is a new way to answer or one less. */
  async refreshWays() {
    const answer = await get(this.form.dataset.ticketUrl, { also: { "HX-Request": "true" } });
    const panes = answer.status === 200 ? new DOMParser().parseFromString(answer.text, "text/html") : null;
    const fresh = panes?.querySelector("form.composer");
    if (!fresh || !this.form.isConnected || fresh.dataset.ticket !== this.ticket) return;
    card.show(panes);
    const key = this.way?.key ?? "note";
    const panel = this.form.querySelector("[data-panel=reply]");
    morphChildren(this.form.querySelector("[role=tablist]"), fresh.querySelector("[role=tablist]"));
    const menu = this.form.querySelector("[data-way-menu]");
    if (menu && document.activeElement !== menu) menu.replaceChildren(...fresh.querySelector("[data-way-menu]").children);
    for (const place of fresh.querySelectorAll("[data-where]")) {
      if (!panel.querySelector(`[data-where="${place.dataset.where}"]`)) panel.prepend(document.importNode(place, true));
    }
    this.mark(key);
  }

  // Show again which way is chosen, without taking anything from who is writing.
  mark(key) {
    const tab = this.tabs().find((one) => one.dataset.way === key) ?? this.tabs().at(-1);
    select(this.tabs(), tab);
    if (this.mode === "reply" && tab.dataset.way !== "note") {
      const wasClosed = this.way?.isClosed;
      this.way = wayOf(tab);
      if (this.way.isClosed && !wasClosed) this.offerAnother(tab);
      else if (wasClosed && !this.way.isClosed) this.clearCallout();
    }
    const menu = this.form.querySelector("[data-way-menu]");
    if (menu) menu.value = tab.dataset.way;
    this.count();
    showClocks(this.tabs());
  }

  // The way one writes on has closed meanwhile. The words stay, and go no other way unless somebody says so.
  offerAnother(closed) {
    const open = openTab(this.tabs());
    const run = () => this.choose(open.dataset.way, { focus: true });
    this.say(closed.title, { actions: open ? [{ words: word("send_other_way", { surface: open.dataset.name }), run }] : [] });
  }

  flush() {
    for (const draft of Object.values(this.drafts)) draft.flush();
  }
}

const composers = new WeakMap();

/** The composer of the open ticket, or null. */
export function composer() {
  return composers.get(document.querySelector("form.composer")) ?? null;
}

/** Begin with a composer that has just come onto the page. */
export function begin() {
  const form = document.querySelector("form.composer");
  if (form && !composers.has(form)) composers.set(form, new Composer(form));
}

/** Listen to what concerns whichever composer is on the page. Once per page. */
export function start() {
  addEventListener("pagehide", () => composer()?.flush());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) composer()?.flush();
  });
  // Another ticket comes into the pane: the words of this one are kept first.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target?.querySelector?.("form.composer")) composer()?.flush();
  });
  document.addEventListener("main:leaves", () => composer()?.flush());
  document.addEventListener("clock:tick", () => showClocks(composer()?.tabs() ?? []));
  for (const name of ["customer-wrote", "ways-changed"]) document.addEventListener(name, () => composer()?.refreshWays());
  hearOtherTabs((ticket, text) => composer()?.ticket === ticket && composer().sentElsewhere(text));
  document.addEventListener("reply-back", ({ detail }) => {
    const here = composer();
    if (here && here.ticket === detail.ticket) {
      here.putBack(detail.text, detail.files, detail.way);
      toast(word("back_in_box"));
    } else {
      keepFor(detail.ticket, detail.files);
      joinWay(detail.ticket, detail.way);
      const link = { href: `/t/${detail.ticket}/`, words: word("show_it") };
      toast(word("back_on_ticket", { ticket: detail.ticket }), { link });
    }
  });
  document.addEventListener("words-again", ({ detail }) => composer()?.putBack(detail.text, [], detail.way));
}
