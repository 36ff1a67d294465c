// Menus (popovers, and the fold beside the send button) by keyboard: first item, arrows, closing.

const ITEMS = "button:not([disabled]), a[href], input:not([type=hidden]), select, textarea";

/** Close whatever is open; true where something was. */
export function closeAll() {
  let closed = false;
  for (const menu of document.querySelectorAll(".menu[popover]:popover-open")) {
    const hadFocus = menu.contains(document.activeElement);
    menu.hidePopover();
    // The browser gives the focus back only to what had it before, which for a key on the page was nothing; it would
    // stay in the closed menu for a moment, and the next key would be taken for one of the menu's.
    if (hadFocus && menu.contains(document.activeElement)) {
      document.activeElement.blur();
      document.querySelector(`[popovertarget="${menu.id}"]`)?.focus({ preventScroll: true });
    }
    closed = true;
  }
  for (const fold of document.querySelectorAll("details.split-button__more[open]")) {
    const hadFocus = fold.contains(document.activeElement);
    fold.open = false;
    if (hadFocus) fold.querySelector("summary").focus({ preventScroll: true });
    closed = true;
  }
  return closed;
}

/** Listen to folds, popovers and keys. Once per page. */
export function start() {
  document.addEventListener("toggle", ({ target, newState }) => {
    if (target.matches?.(".menu[popover]") && newState === "open" && !target.contains(document.activeElement)) {
      items(target)[0]?.focus();
    }
  }, { capture: true }); // "toggle" does not bubble
  document.addEventListener("click", ({ target }) => {
    for (const fold of document.querySelectorAll("details.split-button__more[open]")) {
      if (!fold.contains(target)) fold.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".menu:not([role=listbox])");
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("select, textarea")) return;
    const all = items(menu);
    const step = event.key === "ArrowDown" ? 1 : -1;
    event.preventDefault();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
  });
}

function items(menu) {
  return [...menu.querySelectorAll(ITEMS)].filter((item) => item.checkVisibility());
}
