// What can be done about a reply of ours: take it back, try it again, write it anew where that would be refused again
// ("words-again", for the composer), say what became of it. And about a file that did not come: fetch it again.

import { openTicket } from "./list.js";
import { refresh } from "./live.js";
import { post } from "./server.js";
import { toast } from "./toast.js";
import { word } from "./words.js";

const ACTS = {
  undo: { path: "undo", fields: {} },
  retry: { path: "retry", fields: {} },
  "is-there": { path: "settle", fields: { is_there: "1" } },
  "send-again": { path: "settle", fields: { is_there: "0" } },
};

/**
 * Do one of the acts; the answer's data, or null after saying why it could not be. An undone reply is announced by a
 * "reply-back" event with {ticket, message, text, files, way}, for the composer it belongs into.
 */
export async function act(name, message, ticket) {
  const { path, fields } = ACTS[name];
  const { status, data } = await post(`/messages/${message}/${path}/`, fields);
  refresh();
  if (status !== 200) {
    toast(data.error || word("not_changed"));
    return null;
  }
  if (name === "undo") {
    const way = { key: data.way.key, surface: data.way.surface, isPublic: data.way.is_public };
    document.dispatchEvent(new CustomEvent("reply-back", { detail: { ticket, message, text: data.text, files: data.files ?? [], way } }));
  }
  return data;
}

/** Have a file fetched again that did not come; the bubble tells how it goes. */
async function fetchAgain(attachment) {
  const { status, data } = await post(`/attachments/${attachment}/fetch/`, {});
  refresh();
  if (status !== 200) toast(data.error || word("not_changed"));
}

/** Listen to the buttons on bubbles. Once per page. */
export function start() {
  document.addEventListener("click", async ({ target }) => {
    const again = target.closest?.("[data-act=fetch][data-attachment]");
    if (again && !again.disabled) {
      again.disabled = true;
      await fetchAgain(again.dataset.attachment);
      again.disabled = false;
      return;
    }
    const anew = target.closest?.("[data-act=words]");
    if (anew) {
      if (!document.querySelector("form.composer")) {
        toast(word("nowhere_to_write"));
        return;
      }
      const said = anew.closest(".bubble").querySelector(".bubble__text");
      const way = { key: anew.dataset.way, surface: anew.dataset.surface, isPublic: "public" in anew.dataset };
      document.dispatchEvent(new CustomEvent("words-again", { detail: { text: said.innerText, way } }));
      return;
    }
    const button = target.closest?.("[data-act][data-message]");
    if (!button || !ACTS[button.dataset.act] || button.disabled) return;
    button.disabled = true; // pressed twice would be asked twice
    await act(button.dataset.act, button.dataset.message, openTicket());
    button.disabled = false;
  });
  // An offer to undo that has run out is a control that leads nowhere.
  document.addEventListener("clock:tick", ({ detail }) => {
    for (const button of document.querySelectorAll("[data-act=undo][data-until]")) {
      button.hidden = Date.parse(button.dataset.until) <= detail.now;
    }
  });
}
