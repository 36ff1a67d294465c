// Keeps the page as fresh as a telephone, and sends its forms without leaving it.
// Without this script everything still works: links are links, and forms come back with the page.
"use strict";

const EVERY = 1000; // milliseconds between two looks
const said = document.getElementById("said");
let tag = "";
let looking = false;

// Looking: only the parts that changed are put in, and nothing that is typed into lies in such a part.

async function look() {
  if (looking || document.hidden) return;
  looking = true;
  try {
    const answer = await fetch(document.body.dataset.live + location.search, {
      headers: tag ? { "If-None-Match": tag } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") ?? "";
      const { parts } = await answer.json();
      for (const [id, html] of Object.entries(parts)) put(document.getElementById(id), html);
    }
    document.body.classList.remove("practice--lost");
  } catch {
    document.body.classList.add("practice--lost"); // the stamp says so until an answer comes
  } finally {
    looking = false;
  }
}

const shown = new Map();

function put(part, html) {
  if (!part || shown.get(part.id) === html) return;
  const first = !shown.has(part.id);
  shown.set(part.id, html);
  if (first && part.innerHTML.trim() === html.trim()) return;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const again = focused?.id ? `#${CSS.escape(focused.id)}` : focused?.href ? `a[href="${CSS.escape(focused.getAttribute("href"))}"]` : "";
  const atEnd = part.scrollHeight - part.scrollTop - part.clientHeight < 40;
  const letters = part.querySelectorAll("article").length;
  part.innerHTML = html;
  if (again) part.querySelector(again)?.focus();
  if (part.querySelectorAll("article").length > letters && !first) {
    said.textContent = part.dataset.said ?? "A letter arrived.";
    if (atEnd) part.scrollTop = part.scrollHeight;
  }
}

// Sending

function complain(form, words) {
  const place = form.querySelector("[data-error]") ?? form.closest(".popover__card")?.querySelector("[data-error]");
  if (!place) return;
  place.textContent = words;
  place.hidden = !words;
}

async function send(form, body) {
  complain(form, "");
  const buttons = [...form.querySelectorAll("button")];
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action + location.search, {
      method: "POST",
      headers: { Accept: "application/json" },
      body,
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    return told;
  } catch (error) {
    complain(form, error.message || "The practice networks do not answer.");
    return null;
  } finally {
    form.removeAttribute("aria-busy");
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.send && !("switch" in form.dataset)) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy")) return;
  const told = await send(form, new FormData(form, event.submitter));
  if (!told) return;
  if (form.dataset.send === "open") {
    location.assign(told.open ?? `/?as=${encodeURIComponent(told.key)}`);
  } else if (form.dataset.send === "letter") {
    forget(form);
    if (form.dataset.keep === "new") location.assign(told.open);
    form.reset();
    form.dispatchEvent(new Event("change"));
    said.textContent = "Sent.";
    form.querySelector("textarea").focus();
    await look();
    const screen = document.getElementById("mail-screen");
    screen.scrollTop = screen.scrollHeight;
  } else {
    if ("clear" in form.dataset) form.reset();
    await look();
  }
});

// A switch acts as soon as it is moved, for as many times as the field above says.
document.addEventListener("change", async (event) => {
  const form = event.target.closest("[data-switch]");
  if (!form) return;
  const body = new FormData(form);
  const times = document.getElementById("mischief-times").value;
  if (times) body.set("times", times);
  if (!event.target.checked) body.set("on", "");
  if (!(await send(form, body))) event.target.checked = !event.target.checked;
  await look();
});

// What is typed outlives a look at another letter or person, and comes back with the same one.

const key = (form) => `draft ${form.querySelector("[name=as]").value} ${form.dataset.keep} ${form.querySelector("[name=mail]").value}`;

function forget(form) {
  try {
    sessionStorage.removeItem(key(form));
  } catch {
    // nothing was kept, so nothing is to be forgotten
  }
}

for (const form of document.querySelectorAll("[data-keep]")) {
  const text = form.querySelector("textarea");
  try {
    text.value ||= sessionStorage.getItem(key(form)) ?? "";
  } catch {
    // a browser that keeps nothing starts with an empty field
  }
  text.addEventListener("input", () => {
    try {
      sessionStorage.setItem(key(form), text.value);
    } catch {
      // the field itself still has it
    }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  const files = form.querySelector("input[type=file]");
  form.addEventListener("change", () => {
    const names = [...files.files].map((file) => file.name);
    form.querySelector("[data-files]").textContent = names.length > 1 ? `${names.length} files` : (names[0] ?? "Files…");
  });
}

// A chat has no draft to keep, but says as well how many files were picked.
for (const form of document.querySelectorAll("form:has(.chip--files):not([data-keep])")) {
  const files = form.querySelector("input[type=file]");
  const told = () => {
    form.querySelector("[data-files]").textContent = files.files.length ? String(files.files.length) : "";
  };
  form.addEventListener("change", told);
  form.addEventListener("reset", () => setTimeout(told)); // the field is emptied after the event
}

// Menus close with Escape and with a click elsewhere.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = event.target.closest("[data-popover][open]") ?? document.querySelector("[data-popover][open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("[data-popover][open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

const screenAtStart = document.querySelector("#mail-screen:has(article)");
if (screenAtStart) screenAtStart.scrollTop = screenAtStart.scrollHeight;
document.addEventListener("visibilitychange", look);
setInterval(look, EVERY);
look();
