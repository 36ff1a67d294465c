// Files on their way into a reply: chosen, dropped or pasted, each a chip with its progress.

import { icon } from "./icon.js";
import { headers } from "./server.js";
import { own, recall, remember } from "./store.js";
import { word } from "./words.js";

// The server takes a file it was given for seven days; a day less, so that it is never refused while somebody writes.
const KEPT_FOR = 6 * 24 * 60 * 60_000;

/** Keep files for a composer that is not on the page. */
export function keepFor(ticket, files) {
  if (!files.length) return;
  const there = recall(keyOf(ticket)) ?? [];
  remember(keyOf(ticket), [...there, ...files.map((file) => ({ ...file, at: Date.now() }))]);
}

function keyOf(ticket) {
  return `${own("files")}-${ticket}`;
}

/** The files of one composer; those of ticket `ticket` that arrived outlive the page. `refused(text)` says why one was not taken; `changed()` follows every change. */
export class Uploads {
  constructor({ form, ticket, url, refused, changed }) {
    Object.assign(this, { url, refused, changed });
    this.key = keyOf(ticket);
    this.list = form.querySelector("[data-files]");
    this.held = [];
    const picker = form.querySelector("[data-picker]");
    form.querySelector("[data-attach]")?.addEventListener("click", () => picker.click());
    picker?.addEventListener("change", () => {
      this.add(picker.files);
      picker.value = ""; // the same file may be chosen again after it was removed
    });
    const box = form.querySelector(".composer__box");
    box.addEventListener("dragover", (event) => {
      if (!this.takes || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      box.classList.add("composer__box--drop");
    });
    box.addEventListener("dragleave", (event) => {
      if (!box.contains(event.relatedTarget)) box.classList.remove("composer__box--drop");
    });
    box.addEventListener("drop", (event) => {
      box.classList.remove("composer__box--drop");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      if (this.takes) this.add(event.dataTransfer.files);
    });
    box.addEventListener("paste", (event) => {
      // Words copied from an office program come with a picture of themselves: then the words are meant.
      if (!this.takes || !event.clipboardData.files.length || event.clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      this.add(event.clipboardData.files);
    });
  }

  /** Whether some are still on their way. */
  get isBusy() {
    return this.held.some((file) => !file.token);
  }

  /** The tokens that go with the reply. */
  get tokens() {
    return this.held.filter((file) => file.token).map((file) => file.token);
  }

  // What can be given to restore() later: the files that arrived.
  keepsakes() {
    const arrived = this.held.filter((file) => file.token);
    return arrived.map(({ token, name, size, at }) => ({ token, name, size, at: at ?? Date.now() }));
  }

  /** Put back what was attached before the page was loaded again. Once, when the rest of the composer stands. */
  recall() {
    const kept = recall(this.key) ?? [];
    if (kept.length) this.restore(kept.filter((file) => file.at > Date.now() - KEPT_FOR));
  }

  /** Put files back that were sent and taken back. */
  restore(files) {
    for (const file of files) {
      if (this.held.some((one) => one.token === file.token)) continue;
      const kept = { ...file, chip: null, request: null };
      this.held.push(kept);
      this.draw(kept, "");
    }
    this.show();
  }

  /** Let all go. */
  clear() {
    for (const file of this.held) file.request?.abort();
    this.held = [];
    this.list.replaceChildren();
    this.show();
  }

  add(files) {
    for (const file of files) this.send(file);
    this.show();
  }

  // XMLHttpRequest because fetch() tells nothing of how far an upload has come.
  send(file) {
    const kept = { name: file.name, size: file.size, token: "", chip: null, request: new XMLHttpRequest() };
    this.held.push(kept);
    this.draw(kept, word("uploading", { name: file.name, percent: 0 }));
    const { request } = kept;
    request.open("POST", this.url);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.timeout = 10 * 60_000;
    request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => {
      if (!lengthComputable || !kept.chip) return;
      kept.chip.querySelector("progress").value = loaded / total;
    });
    request.addEventListener("load", () => {
      if (request.status === 200 && request.response?.token) {
        Object.assign(kept, request.response, { request: null });
        this.draw(kept, "");
        this.show();
      } else {
        if (request.status === 401) document.dispatchEvent(new CustomEvent("signed-out"));
        this.fail(kept, request.response?.error);
      }
    });
    for (const name of ["error", "timeout"]) request.addEventListener(name, () => this.fail(kept));
    const body = new FormData();
    body.append("file", file);
    request.send(body);
  }

  fail(kept, reason) {
    this.remove(kept);
    this.refused(reason || word("file_failed", { name: kept.name }));
  }

  remove(kept) {
    kept.request?.abort();
    this.held = this.held.filter((one) => one !== kept);
    kept.chip?.remove();
    this.show();
  }

  draw(kept, label) {
    const chip = document.createElement("li");
    chip.className = "tag file-chip";
    const name = document.createElement("span");
    name.className = "truncate";
    name.dir = "auto";
    name.textContent = kept.name;
    chip.append(icon("paperclip", true), name);
    if (!kept.token) {
      const progress = document.createElement("progress");
      Object.assign(progress, { max: 1, value: 0, className: "meter" });
      progress.setAttribute("aria-label", label);
      chip.append(progress);
    }
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button button--quiet button--icon button--small", textContent: "×" });
    button.setAttribute("aria-label", word("remove_file", { name: kept.name }));
    button.addEventListener("click", () => this.remove(kept));
    chip.append(button);
    if (kept.chip) kept.chip.replaceWith(chip);
    else this.list.append(chip);
    kept.chip = chip;
  }

  show() {
    const arrived = this.keepsakes();
    remember(this.key, arrived.length ? arrived : null);
    this.list.hidden = this.held.length === 0;
    this.changed();
  }
}
