// Makes pages quicker to use. Every page reads and works without it.
document.documentElement.classList.add("js");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// After a form came back with errors, the list of them is read first.
document.querySelector("[data-error-summary]")?.focus();

// A link in the list of errors leads into the control itself, also of a group of radios; so does one from another page.
const into = (hash) => {
  const target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
  const control = target && target.matches("fieldset") ? target.querySelector("input") : target;
  if (!control) return false;
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  (target.closest(".govuk-form-group") ?? target).scrollIntoView();
  control.focus({ preventScroll: true });
  return true;
};
for (const link of all("[data-error-summary] a")) {
  link.addEventListener("click", (event) => into(link.hash) && event.preventDefault());
}
// After the browser itself went there, which leaves a group of radios at its frame; not where somebody went on already.
const arrive = () => setTimeout(() => {
  const at = document.activeElement;
  if (at === document.body || `#${at.id}` === decodeURIComponent(location.hash)) into(location.hash);
});
if (location.hash && !document.querySelector("[data-error-summary]")) addEventListener("load", arrive);
addEventListener("hashchange", arrive);

// While a button is pressed nothing on the page moves: what jumps away under the pointer is not clicked. Whoever changes the
// page of itself waits for this first; undefined where nothing is pressed.
let isPressed = false;
addEventListener("pointerdown", () => { isPressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => setTimeout(() => {
    isPressed = false;
    dispatchEvent(new Event("released"));
  }), true);
}
globalThis.released = () => (isPressed ? new Promise((go) => { addEventListener("released", go, { once: true }); }) : undefined);

// A menu closes with Escape (and gives the focus back), or when one goes on elsewhere.
for (const menu of all("details.pg-person, details.pg-switch, details.pg-menu")) {
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}

// The theme is set as soon as it is chosen.
for (const form of all("[data-theme-form]")) {
  form.querySelector("button").hidden = true;
  form.querySelector("select").addEventListener("change", () => form.requestSubmit());
}

// Words are counted while one types, as the program counts them: bullets and lone dashes are none. Over the limit one
// may go on typing. Spoken when typing stops; where there is no limit they are counted up, and heard with the field.
const wordsIn = (text) => (text.replace(/[\u200b\u2060\ufeff\u00ad]/g, "").match(/\S+/g) ?? [])
  .filter((token) => /[\p{L}\p{N}]/u.test(token)).length;
for (const counter of all("[data-count-of]")) {
  const area = document.getElementById(counter.dataset.countOf);
  const most = Number(area.dataset.words);
  if (!most) {
    const count = () => {
      const number = wordsIn(area.value);
      counter.textContent = number ? `${number} ${number === 1 ? "word" : "words"}.` : "No words yet.";
    };
    count();
    area.addEventListener("input", count);
    continue;
  }
  const spoken = document.createElement("div");
  spoken.className = "vh";
  spoken.setAttribute("role", "status");
  counter.after(spoken);
  let wait;
  const count = () => {
    const left = most - wordsIn(area.value);
    const words = Math.abs(left) === 1 ? "word" : "words";
    counter.textContent = left < 0 ? `You have ${-left} ${words} too many` : `You have ${left} ${words} remaining`;
    counter.classList.toggle("late", left < 0);
    return counter.textContent;
  };
  count();
  area.addEventListener("input", () => {
    const text = count();
    clearTimeout(wait);
    wait = setTimeout(() => { spoken.textContent = text; }, 1000);
  });
}

// How much waits: asked once a minute at most, and again after every deed; until then the page shows what was known last.
const badge = document.querySelector("[data-tasks]");
// The page of the tasks knows best: the pages after it show its number, not one asked for before.
if (badge && "fresh" in badge.dataset) sessionStorage.removeItem("tasks");
if (badge && !("fresh" in badge.dataset) && badge.dataset.tasks) {
  const show = (waiting) => {
    badge.replaceChildren();
    if (!waiting) return;
    const number = document.createElement("span");
    number.className = "pg-count";
    number.textContent = String(waiting);
    const words = document.createElement("span");
    words.className = "vh";
    words.textContent = " waiting for you";
    badge.append(" ", number, words);
  };
  const kept = JSON.parse(sessionStorage.getItem("tasks") ?? "null");
  if (kept && kept.person === badge.dataset.person && Date.now() - kept.at < 60_000) show(kept.waiting);
  else {
    fetch(badge.dataset.tasks, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : null))
      .then((found) => {
        if (!found) return;
        sessionStorage.setItem("tasks", JSON.stringify({ waiting: found.waiting, at: Date.now(), person: badge.dataset.person }));
        show(found.waiting);
      })
      .catch(() => {});
  }
}
document.addEventListener("submit", () => sessionStorage.removeItem("tasks"));

// "/" goes to the search field, unless one is typing.
document.addEventListener("keydown", (event) => {
  const search = document.querySelector(".pg-search input");
  if (event.key !== "/" || !search || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  search.focus();
});

// Tables turned into cards on a phone stay tables for screen readers.
for (const table of all(".pg-cards")) {
  table.setAttribute("role", "table");
  for (const part of all("thead, tbody, tfoot", table)) part.setAttribute("role", "rowgroup");
  for (const row of all("tr", table)) row.setAttribute("role", "row");
  for (const cell of all("td", table)) cell.setAttribute("role", "cell");
  for (const head of all("th", table)) head.setAttribute("role", head.scope === "row" ? "rowheader" : "columnheader");
}

// Whoever signs out leaves no text behind in this browser; text that was never saved is not thrown away unasked.
for (const leaving of all('form[action$="/sign-out"]')) {
  leaving.addEventListener("submit", (event) => {
    const kept = Object.keys(localStorage).filter((key) => key.startsWith("unsent|"));
    if (kept.length && !confirm("Some of your text was not saved. Signing out removes it from this browser. Sign out all the same?")) event.preventDefault();
    else for (const key of kept) localStorage.removeItem(key);
  });
}
