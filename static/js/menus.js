// Menus below a button: <button data-menu="id"> opens the element with that id (ARIA APG, "Menu button").

const ITEMS = "button:not([disabled]), a[href], input:not([type=hidden]), select, textarea";

/** Open the menu of a button and go to its first item. */
export function open(button) {
  closeAll(button);
  const menu = menuOf(button);
  if (!menu) return;
  menu.hidden = false;
  button.setAttribute("aria-expanded", "true");
  menu.querySelector(ITEMS)?.focus();
}

/** Close whatever is open; true where something was. `except` is the button of a menu that stays. */
export function closeAll(except = null) {
  let closed = false;
  for (const button of document.querySelectorAll("[data-menu][aria-expanded=true]")) {
    if (button === except) continue;
    const menu = menuOf(button);
    const hadFocus = menu?.contains(document.activeElement);
    if (menu) menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (hadFocus) button.focus({ preventScroll: true });
    closed = true;
  }
  for (const details of document.querySelectorAll("details.split-button__more[open]")) {
    details.open = false;
    if (details.contains(document.activeElement)) details.querySelector("summary").focus({ preventScroll: true });
    closed = true;
  }
  return closed;
}

/** Listen to buttons, keys and clicks elsewhere. Once per page. */
export function start() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-menu]");
    if (button) {
      if (button.getAttribute("aria-expanded") === "true") closeAll();
      else open(button);
    } else if (!target.closest?.(".menu, .split-button__more")) closeAll();
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".menu:not([role=listbox])");
    if (event.key === "Escape" && closeAll()) event.stopImmediatePropagation();
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("select, textarea")) return;
    const items = [...menu.querySelectorAll(ITEMS)].filter((item) => item.offsetParent !== null);
    const at = items.indexOf(document.activeElement);
    const step = event.key === "ArrowDown" ? 1 : -1;
    event.preventDefault();
    items[(at + step + items.length) % items.length]?.focus();
  });
}

function menuOf(button) {
  return document.getElementById(button.dataset.menu);
}
