// What this browser remembers: for good (localStorage) or as long as the tab is open (sessionStorage).
//
// A private window, or one without room, remembers nothing: then what the server knows is all there is.

/** The value kept under a name, or null. */
export function recall(name, store = "localStorage") {
  try {
    return JSON.parse(window[store].getItem(name) ?? "null");
  } catch {
    return null; // not allowed here, or something else's value
  }
}

/** Keep a value under a name; null forgets it. */
export function remember(name, value, store = "localStorage") {
  try {
    if (value === null) window[store].removeItem(name);
    else window[store].setItem(name, JSON.stringify(value));
  } catch {
    // No room, or not allowed here: see above.
  }
}

/** A name that belongs to whoever is signed in: another person at the same browser finds nothing under it. */
export function own(name) {
  return `${name}-${document.body.dataset.person ?? ""}`;
}
