// Somebody is calling: who it is, and the way to their ticket, on every page of those who may answer.

import { headers } from "./server.js";

// A phone that was not answered has stopped ringing by then.
const RINGS = 45_000;

/** Listen for calls. Once per page. */
export function start() {
  document.addEventListener("live:names", ({ detail }) => {
    for (const name of detail.names) if (/^call-\d+$/.test(name)) ring(name.slice(5));
    for (const shown of document.querySelectorAll("[id^=ringing-][data-ticket]")) {
      if (detail.names.includes(`ticket-${shown.dataset.ticket}`)) check(shown);
    }
  });
  document.addEventListener("click", ({ target }) => target.closest?.("[data-dismiss]")?.closest(".toast").remove());
}

// Whoever hung up is not calling any more.
async function check(shown) {
  const answer = await asked(shown.id.slice("ringing-".length));
  if ([204, 403, 404].includes(answer?.status)) shown.remove();
}

const asked = (id) => fetch(`/calls/${id}/ringing/`, { headers: headers() }).catch(() => null);

async function ring(id) {
  const place = document.getElementById("toasts");
  if (!place || document.getElementById(`ringing-${id}`)) return;
  const answer = await asked(id);
  if (answer?.status !== 200) return; // not ours to answer, or over already
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const shown = holder.content.firstElementChild;
  if (!shown || document.getElementById(shown.id)) return;
  place.append(shown);
  setTimeout(() => shown.remove(), RINGS);
}
