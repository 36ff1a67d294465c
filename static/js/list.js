// The list of tickets: which rows there are, which one is open, and its scroll while rows come and go.

/** The number of the open ticket as text, or null. */
export function openTicket() {
  return document.querySelector("#ticket[data-ticket]")?.dataset.ticket ?? null;
}

/** The rows of the list, top to bottom. */
export function rows() {
  return [...document.querySelectorAll("#ticket-list > [data-ticket]")];
}

/** The link of a row, which is what opens it and what has the focus. */
export function linkOf(row) {
  return row?.querySelector("a[href]") ?? null;
}

/** The row that has the focus, or else that of the open ticket, or null. */
export function currentRow() {
  const focused = document.activeElement?.closest?.("#ticket-list > [data-ticket]");
  return focused ?? rows().find((row) => row.dataset.ticket === openTicket()) ?? null;
}

let stood = { ticket: null, order: [] };

/** Go on from this row: what stands above and below it now is remembered, for when the row moves away. */
export function stand(row) {
  stood = { ticket: row.dataset.ticket, order: rows().map((one) => one.dataset.ticket) };
}

/**
 * The row below (step 1) or above (-1) the current one; null where there is none. An answered ticket goes to the end of
 * the list, and its row with it. From there nothing would be below: one goes on from where it stood.
 */
export function neighbour(step) {
  const all = rows();
  const current = currentRow();
  const at = all.indexOf(current);
  if (at < 0) return all.at(step > 0 ? 0 : -1) ?? null;
  const was = current.dataset.ticket === stood.ticket ? stood.order.indexOf(stood.ticket) : -1;
  const places = (tickets) => tickets.map((id) => all.findIndex((row) => row.dataset.ticket === id)).filter((place) => place >= 0);
  const below = was < 0 ? [] : places(stood.order.slice(was + 1));
  // One that jumped past it has become urgent itself; most of them mean that it was this row that moved.
  const hasMoved = below.filter((place) => place < at).length * 2 > below.length;
  if (!hasMoved) return all[Math.max(0, Math.min(all.length - 1, at + step))];
  return all[step > 0 ? below[0] : (places(stood.order.slice(0, was)).at(-1) ?? below[0])];
}

/** Mark the row of the open ticket, at one pane a page show that pane, and where none is open say what is to be done. */
export function markOpen() {
  if (!document.getElementById("ticket-list")) return;
  const ticket = openTicket();
  const open = rows().find((row) => row.dataset.ticket === ticket);
  if (open && stood.ticket !== ticket) stand(open);
  for (const row of rows()) {
    if (row.dataset.ticket === ticket) linkOf(row)?.setAttribute("aria-current", "true");
    else linkOf(row)?.removeAttribute("aria-current");
  }
  document.body.classList.toggle("shows-ticket", ticket !== null);
  document.body.classList.toggle("shows-list", ticket === null);
  // The first ticket of a quiet morning came since the page was made: "nothing waits here" is no longer so.
  const any = rows().length > 0;
  for (const words of document.querySelectorAll("[data-with-rows]")) words.hidden = !any;
  for (const words of document.querySelectorAll("[data-without-rows]")) words.hidden = any;
}

/** Keep the scroll of the list while its rows change. Once per page. */
export function start() {
  let top = 0;
  let place = -1;
  document.addEventListener("live:before", ({ target }) => {
    if (target.id !== "ticket-list") return;
    top = target.closest(".pane__scroll")?.scrollTop ?? 0;
    place = rows().findIndex((row) => row.contains(document.activeElement));
  });
  document.addEventListener("live:updated", ({ target }) => {
    if (target.id !== "ticket-list") return;
    const scroller = target.closest(".pane__scroll");
    // The browser's own anchoring would carry the view along with a row that moved.
    if (scroller && scroller.scrollTop !== top) scroller.scrollTop = top;
    // The row that had the focus was solved or snoozed away: the keyboard goes on where it was.
    if (place >= 0 && document.activeElement === document.body) {
      linkOf(rows()[Math.min(place, rows().length - 1)])?.focus({ preventScroll: true });
    }
    markOpen();
  });
}
