// How long the words are where they go, shown below the box: a ring and a number.

import { length } from "./weighted.js";
import { word } from "./words.js";

// The count is shown from here on; before it nobody needs to know.
const SHOW_FROM = 0.7;

/** Show in a composer's form how long `text` is on a way to answer (null: on none), and whether it is too long. */
export function showLength(form, way, text) {
  const place = form.querySelector("[data-count]");
  const limit = way?.limit;
  const isX = way?.surface === "x:mention";
  const counted = limit ? length(text.trim(), way.surface) : 0;
  const over = limit ? counted - limit : 0;
  // Not disabled: pressed all the same, the buttons say what is the matter.
  for (const button of form.querySelectorAll("[data-then]")) {
    if (over > 0) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
  place.hidden = !limit || (!isX && counted < limit * SHOW_FROM);
  if (place.hidden) return;
  place.title = word(isX ? "counted" : "counted_plain", { network: word("network_x"), n: counted, limit });
  place.classList.toggle("composer__count--over", over > 0);
  place.querySelector("[data-count-words]").textContent = over > 0 ? word("left_over", { n: over }) : counted;
  place.querySelector("[data-count-limit]").textContent = over > 0 ? "" : `/ ${limit}`;
  const share = Math.min(100, Math.round((counted / limit) * 100));
  place.querySelector(".ring__value").setAttribute("stroke-dasharray", `${share} 100`);
}
