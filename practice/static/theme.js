// The theme switch. Loaded without defer, so that the first paint already has its colours.
// `?theme=light|dark|system` beats what was chosen earlier; "system" sets no attribute and lets the system decide.
"use strict";
{
  const root = document.documentElement;

  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (root.dataset.theme ?? "system")));
    }
  };

  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // a browser that keeps nothing: the system decides
    }
  };

  let theme = new URLSearchParams(location.search).get("theme") ?? remembered();
  show(theme);
  document.addEventListener("DOMContentLoaded", () => show(theme));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    theme = button.dataset.themeChoice;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // the choice then lasts as long as this page
    }
    show(theme);
  });
}
