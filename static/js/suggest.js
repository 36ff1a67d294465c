// A list of suggestions under a text field: @ for colleagues, / for templates (ARIA APG, "Combobox", list autocomplete).

const MOST = 8;
let number = 0;

/**
 * Offer suggestions in a textarea. `begins(before)` takes the text before the caret and returns {query, start} where a
 * list belongs, or null; `find(query)` resolves to [{label, detail, text}]; the chosen one's text replaces everything
 * from `start` to the caret.
 */
export function suggest(field, { label, begins, find }) {
  number += 1;
  const list = document.createElement("ul");
  Object.assign(list, { id: `suggestions-${number}`, className: "menu suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", label);
  field.after(list);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  let found = [];
  let at = 0;
  let start = 0;
  let asked = 0;
  let dismissed = -1;

  const isOpen = () => !list.hidden;

  function close() {
    list.hidden = true;
    list.replaceChildren();
    field.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    at = (index + found.length) % found.length;
    [...list.children].forEach((item, each) => item.setAttribute("aria-selected", String(each === at)));
    list.children[at].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", list.children[at].id);
  }

  function choose(index) {
    const { text } = found[index];
    const end = field.selectionEnd;
    close();
    field.focus();
    field.setSelectionRange(start, end);
    insert(field, text);
  }

  function draw() {
    list.replaceChildren(...found.map((one, index) => {
      const item = document.createElement("li");
      Object.assign(item, { id: `${list.id}-${index}`, className: "menu__item" });
      item.setAttribute("role", "option");
      const name = document.createElement("span");
      name.textContent = one.label;
      const detail = document.createElement("span");
      detail.className = "quiet truncate";
      detail.textContent = one.detail ?? "";
      item.append(name, detail);
      // The press, not the click: the field must not lose the caret.
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        choose(index);
      });
      return item;
    }));
    list.hidden = false;
    mark(0);
  }

  async function look() {
    const before = field.value.slice(0, field.selectionStart);
    const begun = field.selectionStart === field.selectionEnd ? begins(before) : null;
    asked += 1;
    if (!begun || begun.start === dismissed) {
      if (!begun) dismissed = -1;
      close();
      return;
    }
    const mine = asked;
    const results = await find(begun.query);
    if (mine !== asked || document.activeElement !== field) return;
    found = results.slice(0, MOST);
    start = begun.start;
    if (found.length) draw();
    else close();
  }

  field.addEventListener("input", look);
  field.addEventListener("blur", close);
  field.addEventListener("click", () => isOpen() && look());
  field.addEventListener("keydown", (event) => {
    if (!isOpen() || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      ArrowDown: () => mark(at + 1),
      ArrowUp: () => mark(at - 1),
      Enter: () => choose(at),
      Tab: () => choose(at),
      Escape: () => {
        dismissed = start;
        close();
      },
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  });
  return { look };
}

/** Put text where the caret is, so that the browser's own undo takes it out again. */
export function insert(field, text) {
  // The only call that keeps the undo history; assigning the value is what is left where it does not work.
  if (document.execCommand?.("insertText", false, text)) return;
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** Where a template is called: "/" at the start of a line. */
export function slashBegins(before) {
  const match = /(?:^|\n)\/([^\n/]{0,40})$/.exec(before);
  return match ? { query: match[1], start: before.length - match[1].length - 1 } : null;
}

/** Where a colleague is called: "@" after nothing that belongs to a word. */
export function atBegins(before) {
  const match = /(?:^|[^\w@])@([\p{L}\p{M}]{0,40})$/u.exec(before);
  return match ? { query: match[1], start: before.length - match[1].length - 1 } : null;
}

/** Whether any word of a name begins with the query, letters with and without marks being alike. */
export function fits(name, query) {
  const wanted = bare(query);
  return wanted === "" || bare(name).split(/\s+/).some((part) => part.startsWith(wanted)) || bare(name).startsWith(wanted);
}

function bare(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase().trim();
}
