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

/** Mark the row of the open ticket, and at one pane a page show that pane. */
export function markOpen() {
  if (!document.getElementById("ticket-list")) return;
  const ticket = openTicket();
  for (const row of rows()) {
    if (row.dataset.ticket === ticket) linkOf(row)?.setAttribute("aria-current", "true");
    else linkOf(row)?.removeAttribute("aria-current");
  }
  document.body.classList.toggle("shows-ticket", ticket !== null);
  document.body.classList.toggle("shows-list", ticket === null);
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
