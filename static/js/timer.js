// The clock of a call: started and stopped by one button, it fills in how long the call took.

import { word } from "./words.js";

/** Bring the clock to life where the form is on the page. Once per page. */
export function start() {
  const button = document.querySelector("[data-call-form] [data-timer]");
  if (!button) return;
  const form = button.form;
  const words = button.querySelector("[data-timer-words]");
  let began = 0;
  let ticking = 0;

  function show() {
    const seconds = Math.floor((Date.now() - began) / 1000);
    form.elements.minutes.value = Math.floor(seconds / 60);
    form.elements.seconds.value = seconds % 60;
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    if (ticking) {
      clearInterval(ticking);
      ticking = 0;
      show();
    } else {
      // Started again it goes on from what stands there: a call that was only put down for a moment.
      const before = Number(form.elements.minutes.value || 0) * 60 + Number(form.elements.seconds.value || 0);
      began = Date.now() - before * 1000;
      ticking = setInterval(show, 1000);
      show();
    }
    button.setAttribute("aria-pressed", String(Boolean(ticking)));
    words.textContent = word(ticking ? "timer_stop" : "timer_start");
  });
}
