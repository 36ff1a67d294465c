// Acts on tickets: on the open one, or on those picked in the list; each can be taken back.
//
// A control has data-act-url; a button sends its own name and value, a form its fields. With data-many it is about
// the picked tickets, otherwise about the open one; with data-of-list it is about what came in by the queue whose list
// stands beside them.

import * as card from "./card.js";
import { openTicket } from "./list.js";
import { refresh } from "./live.js";
import { closeAll } from "./menus.js";
import { picked, pickNone } from "./selection.js";
import { post } from "./server.js";
import { own, recall, remember } from "./store.js";
import { toast } from "./toast.js";
import { word } from "./words.js";

const TAKE_BACK = "/act/take-back/";
// Told of on the customer's card, which is not fetched with every change of the ticket.
const BLOCK = "/act/block/";
const TOAST_STAYS = 10_000;
// As long as the server keeps what an act changed.
const TAKEN_BACK_FOR = 10 * 60_000;
const MOST_REFUSALS = 4;
const MOST_KEPT = 50;

// What can be taken back, the latest at the end: outlives the page, since a lead goes from the board to a ticket between.
const KEPT = "take-back";
// What is being done: taking back waits for it, for on a slow line the key is quicker than the answer.
let running = Promise.resolve();
// What takes the offer of an act away, by its token: taken back by the key, it is an offer no more.
const offers = new Map();

/** Do the act of a control; `submitter` is the button of a form that was pressed. */
export function act(control, submitter = null) {
  const done = carryOut(control, submitter);
  running = Promise.allSettled([running, done]);
  return done;
}

async function carryOut(control, submitter) {
  const isMany = "many" in control.dataset;
  const tickets = isMany ? picked() : [openTicket()].filter(Boolean);
  if (!tickets.length || control.dataset.busy) return;
  control.dataset.busy = "1";
  const fields = control instanceof HTMLFormElement ? new FormData(control, submitter) : new FormData();
  if (!(control instanceof HTMLFormElement) && control.name) fields.append(control.name, control.value);
  const queue = new URLSearchParams(location.search).get("queue");
  if (queue && "ofList" in control.dataset) fields.append("queue", queue);
  fields.delete("ticket");
  for (const ticket of tickets) fields.append("ticket", ticket);
  const { status, data } = await post(control.dataset.actUrl, fields);
  delete control.dataset.busy;
  if (status !== 200) {
    toast(data.error || word("not_changed"), { stays: TOAST_STAYS });
    return;
  }
  closeAll();
  if (control instanceof HTMLFormElement) control.reset();
  if (isMany) pickNone();
  if (data.undo) keep([...takeable(), { token: data.undo, until: Date.now() + TAKEN_BACK_FOR }]);
  say(data);
  refresh();
  if (control.dataset.actUrl === BLOCK) card.refresh();
}

/** Take an act back: the one of this token, or the latest that still can be. Pressed again, the one before it. */
export async function takeBack(wanted = "") {
  await running;
  const all = takeable();
  const token = wanted || all.at(-1)?.token;
  if (!token) {
    toast(word("nothing_to_take_back"));
    return;
  }
  keep(all.filter((one) => one.token !== token));
  const { status, data } = await post(TAKE_BACK, { token });
  // Without an answer it may not have happened: it can be tried again.
  if (status === 0) keep(all);
  else {
    offers.get(token)?.();
    offers.delete(token);
  }
  toast(status === 200 ? data.words : data.error || word("not_changed"));
  refresh();
  card.refresh();
}

function takeable() {
  return (recall(own(KEPT), "sessionStorage") ?? []).filter((one) => one.until > Date.now());
}

function keep(all) {
  remember(own(KEPT), all.length ? all.slice(-MOST_KEPT) : null, "sessionStorage");
}

/** Listen to the controls. Once per page. */
export function start() {
  document.addEventListener("click", (event) => {
    const control = event.target.closest?.("button[data-act-url]");
    if (control) act(control);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.dataset?.actUrl) return;
    event.preventDefault();
    act(event.target, event.submitter);
  });
}

function say(data) {
  const offer = data.undo ? { words: word("take_back"), run: () => takeBack(data.undo) } : null;
  const away = toast(data.words, { act: offer, stays: TOAST_STAYS });
  if (data.undo) offers.set(data.undo, away);
  const refused = data.refused ?? [];
  for (const one of refused.slice(0, MOST_REFUSALS)) {
    toast(word("refused", { ticket: `#${one.ticket}`, why: one.why }), { stays: TOAST_STAYS });
  }
  if (data.gone?.length) {
    const tickets = data.gone.map((ticket) => `#${ticket}`).join(", ");
    toast(word("already_gone", { tickets }), { stays: TOAST_STAYS });
  }
}
