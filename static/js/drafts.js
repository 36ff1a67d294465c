// What is being written, kept as one types: on the server, and in the browser while the server cannot be reached.

import { post } from "./server.js";
import { own, recall, remember } from "./store.js";
import { word } from "./words.js";

const PAUSE = 600;
const AGAIN = [2000, 5000, 10_000, 30_000];

/** Keeps one text of one ticket. `kind` is "reply" or "note"; `show(text, kind)` says how it stands. */
export class Draft {
  constructor({ ticket, kind, url, read, show }) {
    Object.assign(this, { kind, url, read, show });
    this.key = `${own("draft")}-${ticket}-${kind}`;
    this.saved = read();
    this.timer = 0;
    this.tries = 0;
    this.running = null;
    this.isHeld = false;
  }

  /** The words this browser kept and the server does not have, or null. `savedAt` is when the server last took some. */
  left(savedAt) {
    const kept = fromBrowser(this.key);
    if (!kept) return null;
    const isNewer = !savedAt || kept.at > Date.parse(savedAt);
    if (isNewer && kept.text.trim() && kept.text !== this.saved) return kept.text;
    forget(this.key);
    return null;
  }

  /** The words changed: kept soon. */
  changed() {
    clearTimeout(this.timer);
    if (!this.isHeld) this.timer = setTimeout(() => this.save(), PAUSE);
  }

  /** Keep the words now; resolves when the server answered, or when it did not. */
  async save() {
    clearTimeout(this.timer);
    if (this.isHeld) return;
    if (this.running) {
      await this.running;
      // Two saves on their way at once could arrive in the wrong order and bring old words back.
      if (!this.isHeld) this.changed();
      return;
    }
    const text = this.read();
    if (text === this.saved) return;
    this.running = post(this.url, { kind: this.kind, text });
    const { status, data } = await this.running;
    this.running = null;
    if (status === 200) {
      this.saved = text;
      this.tries = 0;
      forget(this.key);
      this.show(data.saved_at ? word("draft_saved", { time: data.saved_at }) : "", "saved");
      if (this.read() !== text) this.changed();
      return;
    }
    keep(this.key, text);
    if (this.isHeld) return;
    this.show(word("draft_unsaved"), "unsaved");
    this.timer = setTimeout(() => this.save(), AGAIN[Math.min(this.tries, AGAIN.length - 1)]);
    this.tries += 1;
  }

  /** The page goes away: keep what is not kept, in a request that outlives it and in the browser. */
  flush() {
    clearTimeout(this.timer);
    const text = this.read();
    if (this.isHeld || text === this.saved) return;
    keep(this.key, text);
    this.saved = text;
    // Browsers let only 64 kB outlive a page; the rest is in the browser's own store.
    post(this.url, { kind: this.kind, text }, { last: new Blob([text]).size < 30_000 }).then(({ status }) => {
      if (status === 200) {
        forget(this.key);
        return;
      }
      // The page did not go away after all, and the server did not take the words.
      this.saved = null;
      this.changed();
    });
  }

  /** The words are being sent: nothing may bring them back as a draft meanwhile. Resolves once that is sure. */
  async hold() {
    this.isHeld = true;
    clearTimeout(this.timer);
    if (this.running) await this.running;
  }

  /** The words were sent (`wereSent`: the server has dropped the draft itself) or were not. */
  release(wereSent) {
    this.isHeld = false;
    if (wereSent) {
      this.saved = "";
      forget(this.key);
      this.show("", "saved");
    }
    if (this.read() !== this.saved) this.changed();
  }

  /** Keep the words in the browser alone, for when the session has ended. */
  keepHere() {
    keep(this.key, this.read());
  }
}

function fromBrowser(key) {
  const kept = recall(key);
  return typeof kept?.text === "string" ? kept : null;
}

function keep(key, text) {
  remember(key, text.trim() ? { text, at: Date.now() } : null);
}

function forget(key) {
  remember(key, null);
}
