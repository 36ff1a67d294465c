// Making a piece of the page look like a fresh answer of the server while somebody works in it.
//
// Elements are matched by id and changed in place, so that focus, selection, scroll and open folds survive.
// An element that holds the field being typed in is never touched.

const FIELDS = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";
// What the reader did to an element is theirs; the server does not know of it.
const OURS = new Set(["open", "aria-expanded", "data-picked"]);
// Filled in once the reader asked; the answer holds only the place for it.
const KEPT = "[data-live-keep], [hx-trigger~=once], :popover-open";

/** Make the children of `target` like those of `source`. `source` is used up. */
export function morphChildren(target, source) {
  const focused = document.activeElement;
  const typing = focused?.matches?.(FIELDS) ? focused : null;
  children(target, source, typing);
  // A move takes the focus away in browsers without moveBefore().
  if (focused && focused !== document.activeElement && focused.isConnected && target.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/** Make one element like another of the same kind; false where it was left alone. */
export function morph(element, fresh, typing = null) {
  if ((typing && element.contains(typing)) || element.matches(KEPT)) return false;
  if (element.isEqualNode(fresh)) return true;
  attributes(element, fresh);
  children(element, fresh, typing);
  return true;
}

function children(target, source, typing) {
  const wanted = [...source.childNodes];
  const keyed = new Map();
  const free = new Map();
  const names = new Set(wanted.map((node) => node.id).filter(Boolean));
  for (const node of [...target.childNodes]) {
    if (!node.id) free.set(node.nodeName, [...(free.get(node.nodeName) ?? []), node]);
    else if (names.has(node.id)) keyed.set(node.id, node);
    // First of all, so that what stays need not be moved past it: a move can cost the focus.
    else remove(node, typing);
  }
  const used = new Set();
  let place = target.firstChild;
  for (const fresh of wanted) {
    const found = fresh.id ? keyed.get(fresh.id) : free.get(fresh.nodeName)?.shift();
    const same = found?.nodeName === fresh.nodeName ? found : null;
    if (!same) {
      used.add(target.insertBefore(document.importNode(fresh, true), place));
      continue;
    }
    used.add(same);
    if (same === place) place = place.nextSibling;
    else move(target, same, place);
    if (same.nodeType === Node.ELEMENT_NODE) morph(same, fresh, typing);
    else if (same.data !== fresh.data) same.data = fresh.data;
  }
  for (const node of [...target.childNodes]) if (!used.has(node)) remove(node, typing);
}

function move(target, node, place) {
  if (target.moveBefore) target.moveBefore(node, place);
  else target.insertBefore(node, place);
}

function remove(node, typing) {
  if (!(typing && node.contains(typing))) node.remove();
}

function attributes(element, fresh) {
  for (const { name } of [...element.attributes]) {
    if (!fresh.hasAttribute(name) && !OURS.has(name)) element.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!OURS.has(name) && element.getAttribute(name) !== value) {
      element.setAttribute(name, value);
    }
  }
}
