// The split screen of an assessment: reading and scoring side by side, by mouse or by keys alone, and back to the same place.
// The page reads and saves without it; what is typed is saved by writing.js.
const split = document.querySelector("[data-split]");
const answers = split?.querySelector("[data-answers-side]");
const sheet = split?.querySelector("[data-sheet-side]");
const form = document.getElementById("sheet-form");
const every = (selector, within = split) => [...within.querySelectorAll(selector)];
const narrow = matchMedia("(max-width: 860px)");

// --- on a small screen one part at a time --------------------------------------------------------------------------

const tabs = every("[role=tab]");
const panes = tabs.map((tab) => document.getElementById(tab.getAttribute("aria-controls")));

function open(id, withFocus = false) {
  for (const [place, tab] of tabs.entries()) {
    const isChosen = panes[place].id === id;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    panes[place].toggleAttribute("data-off", !isChosen);
    if (isChosen && withFocus) tab.focus();
  }
}

function startTabs() {
  const list = split.querySelector("[data-tabs]");
  const fold = () => { list.hidden = !narrow.matches; };
  fold();
  narrow.addEventListener("change", fold);
  for (const [place, tab] of tabs.entries()) {
    panes[place].setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => open(panes[place].id));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      open(panes[1 - place].id, true);
    });
  }
  const wanted = location.hash === "#sheet" || split.querySelector("#sheet .govuk-error-message, [id^=stored-]");
  open(wanted ? "sheet" : "application");
}

// --- how wide either side is ---------------------------------------------------------------------------------------

function startBar() {
  const bar = split.querySelector("[data-bar]");
  const put = (percent) => {
    const kept = Math.min(70, Math.max(30, Math.round(percent)));
    bar.setAttribute("aria-valuenow", String(kept));
    split.style.setProperty("--left", `${kept}fr`);
    split.style.setProperty("--right", `${100 - kept}fr`);
    return kept;
  };
  const keep = (percent) => { try { localStorage.setItem("sheet-width", String(put(percent))); } catch { put(percent); } };
  let known = null;
  try { known = localStorage.getItem("sheet-width"); } catch { known = null; }
  if (known) put(Number(known));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (!step) return;
    event.preventDefault();
    keep(Number(bar.getAttribute("aria-valuenow")) + step);
  });
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const box = split.getBoundingClientRect();
      put((100 * (moved.clientX - box.left)) / box.width);
    };
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", () => {
      bar.removeEventListener("pointermove", move);
      keep(Number(bar.getAttribute("aria-valuenow")));
    }, { once: true });
  });
}

// --- a criterion shows its answers ---------------------------------------------------------------------------------

function show(ids) {
  const found = ids.map((id) => document.getElementById(id)).filter(Boolean);
  if (!found.length) return;
  open("application");
  for (const each of every(".is-fed", answers)) each.classList.remove("is-fed");
  for (const each of found) each.classList.add("is-fed");
  if (narrow.matches) found[0].scrollIntoView();
  else answers.scrollTop = topOf(found[0], answers);
}

// Where a part stands within its side, however far that is scrolled.
const topOf = (part, side) => part.getBoundingClientRect().top - side.getBoundingClientRect().top + side.scrollTop;

function startShowing() {
  for (const link of every(".pg-seg a, [data-show-answers]")) {
    link.addEventListener("click", (event) => {
      const ids = (link.dataset.answers ?? link.closest("[data-answers]")?.dataset.answers ?? link.hash.slice(1)).split(" ");
      event.preventDefault();
      for (const other of every(".pg-seg a")) other.toggleAttribute("aria-current", false);
      if (link.closest(".pg-seg")) link.setAttribute("aria-current", "true");
      show(ids);
      if (!narrow.matches && link.closest(".pg-seg")) answers.focus({ preventScroll: true });
    });
  }
}

// --- an answer leads to its criterion ------------------------------------------------------------------------------

function toCriterion(event) {
  const link = event.target.closest?.("[data-back]");
  const part = link && document.getElementById(link.hash.slice(1));
  if (!part) return;
  event.preventDefault();
  open("sheet");
  const side = part.closest(".pg-split__body");
  if (narrow.matches) part.scrollIntoView();
  else side.scrollTop = topOf(part, side);
  const control = part.querySelector(".pg-scale input:checked") ?? part.querySelector(".pg-scale input, select") ?? part;
  control.focus({ preventScroll: true });
}

// --- a quotation leads to the passage ------------------------------------------------------------------------------

const marked = globalThis.CSS?.highlights && typeof Highlight === "function" ? new Highlight() : null;
if (marked) CSS.highlights.set("passage", marked);

// Quotation marks of any kind are the same: within a quotation they are written otherwise.
const folded = (sign) => (/[\u2018\u2019\u201c\u201d"']/.test(sign) ? "'" : /\s/.test(sign) ? " " : sign);

// Where words stand within a part, whatever spaces and elements lie between them.
function passageIn(part, words) {
  const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  const signs = [];
  const spots = [];
  const put = (sign, node, offset) => {
    if (sign === " " && (!signs.length || signs.at(-1) === " ")) return;
    signs.push(sign);
    spots.push([node, offset]);
  };
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    for (let offset = 0; offset < node.length; offset += 1) put(folded(node.data[offset]), node, offset);
    // Lines and cells are parted although no sign stands between them.
    if (/^(P|LI|TD|TH|DT|DD|H2|H3)$/.test(node.parentElement.tagName)) put(" ", node, node.length);
  }
  const at = signs.join("").indexOf(words.split("").map(folded).join(""));
  if (at < 0) return null;
  const range = new Range();
  range.setStart(...spots[at]);
  const [end, offset] = spots[at + words.length - 1];
  range.setEnd(end, Math.min(offset + 1, end.length));
  return range;
}

function showPassage(words, place) {
  const part = place && document.getElementById(place);
  const range = (part && passageIn(part, words)) ?? passageIn(answers, words);
  if (!range) return false;
  open("application");
  marked?.clear();
  marked?.add(range);
  if (narrow.matches) scrollBy(0, range.getBoundingClientRect().top - 140);
  else answers.scrollTop = topOf(range, answers) - 60;
  return true;
}

const SHORT = 48;
const shortOf = (words) => (words.length <= SHORT ? words : `${words.slice(0, SHORT - 1).replace(/\s\S*$/, "")}\u2026`);

// What a text quotes, as the server finds it too: each passage of two words or more once.
function tellQuotes(text) {
  const list = form.querySelector(`[data-quotes="${CSS.escape(text.name)}"]`);
  if (!list) return;
  const found = [...text.value.matchAll(/\u201c([^\u201c\u201d]+)\u201d/g)].map(([, each]) => each.trim().replace(/\s+/g, " "));
  const wanted = [...new Set(found)].filter((each) => each.includes(" ")).slice(0, 20).filter((each) => passageIn(answers, each));
  const stands = [...list.querySelectorAll("[data-quoted]")].map((link) => link.dataset.quoted);
  if (wanted.join("\n") === stands.join("\n")) return;
  list.replaceChildren(...wanted.map((words) => {
    const link = document.createElement("a");
    Object.assign(link, { className: "govuk-link", href: "#application", textContent: `\u201c${shortOf(words)}\u201d in the application` });
    link.dataset.quoted = words;
    return link;
  }));
}

function startQuotes() {
  split.addEventListener("click", (event) => {
    const link = event.target.closest("[data-quoted]");
    if (link && showPassage(link.dataset.quoted, link.hash.slice(1))) event.preventDefault();
  });
  if (!form) return;
  let wait;
  form.addEventListener("input", (event) => {
    if (event.target.tagName !== "TEXTAREA") return;
    clearTimeout(wait);
    wait = setTimeout(() => tellQuotes(event.target), 400);
  });
}

// --- the sheet -----------------------------------------------------------------------------------------------------

const criteria = () => every("[data-criterion]", form);
const here = () => document.activeElement?.closest?.("[data-criterion]") ?? lastHere ?? criteria()[0];
let lastHere = null;

const points = (half) => (half % 2 ? `${(half - 1) / 2}.5` : String(half / 2));

// An exact number of points as the server writes it: three decimals at most, and said to be rounded where there are more.
function exact(number, under) {
  const thousandths = Math.floor((number * 2000 + under) / (under * 2));
  const decimals = String(thousandths % 1000).padStart(3, "0").replace(/0+$/, "");
  return `${(number * 1000) % under ? "about " : ""}${Math.floor(thousandths / 1000)}${decimals ? `.${decimals}` : ""}`;
}

// What a score means stands below the scale as soon as it is chosen or the keyboard is on it, and all of them make the total.
const NONE_CHOSEN = "Choose a score. Its meaning appears here.";

function tell() {
  let total = 0;
  let weighted = 0;
  let isWhole = true;
  const below = [];
  for (const each of criteria()) {
    const list = each.querySelector("select");
    const chosen = list ? [...list.selectedOptions].find((option) => option.value) : each.querySelector(".pg-scale input:checked");
    if (chosen) {
      total += Number(chosen.value);
      weighted += Number(chosen.value) * Number(each.dataset.parts ?? 0);
      if (Number(chosen.value) < Number(each.dataset.least ?? 0)) below.push(each.dataset.belowWords);
    } else isWhole = false;
    const looked = list ? null : each.querySelector(".pg-scale input:focus-visible");
    const words = chosen?.title ?? (looked ? `Not chosen yet: ${looked.title}` : NONE_CHOSEN);
    let line = each.querySelector(".pg-anchor");
    if (!line) {
      line = document.createElement("p");
      line.className = "pg-anchor";
      (list ?? each.querySelector(".pg-scale")).after(line);
    }
    line.setAttribute("role", "status");
    line.classList.toggle("is-none", !chosen);
    if (line.textContent !== words) line.textContent = words;
  }
  const short = split.querySelector("[data-below]");
  if (short) short.textContent = below.join("; ");
  const place = split.querySelector("[data-total]");
  if (place) place.textContent = isWhole ? points(total) : "–";
  const sum = split.querySelector("[data-weighted]");
  if (sum) sum.textContent = isWhole ? exact(weighted, 2 * Number(sum.dataset.over)) : "–";
}

// Without this script what the marks mean stands open for every criterion. With it only where one is: the list opens once a
// scale is used, below it, so that nothing moves under the finger.
function startMeanings() {
  const lists = criteria().map((each) => each.querySelector("[data-meanings]"));
  for (const list of lists.slice(1)) if (list) list.open = false;
  form.addEventListener("focusin", (event) => {
    if (event.target.closest(".pg-scale, select")) {
      const list = event.target.closest("[data-criterion]")?.querySelector("[data-meanings]");
      if (list) list.open = true;
    }
    tell();
  });
  form.addEventListener("focusout", () => requestAnimationFrame(tell));
}

function choose(radios, radio) {
  for (const each of radios) each.checked = each === radio;
  (radio ?? radios[0]).focus();
  (radio ?? radios[0]).dispatchEvent(new Event("change", { bubbles: true }));
}

// Single keys can be turned off: somebody who speaks to the machine, or strikes keys unwillingly, would score by chance.
const single = document.querySelector("[data-single-keys]");

function startSingleKeys() {
  if (!single) return;
  try { single.checked = localStorage.getItem("sheet-single-keys") !== "off"; } catch { single.checked = true; }
  single.addEventListener("change", () => {
    try { localStorage.setItem("sheet-single-keys", single.checked ? "on" : "off"); } catch { return; }
  });
}

// Figures choose a score while a scale has the focus, and nowhere else.
function figures(event) {
  if (single && !single.checked) return;
  const radio = event.target.closest?.(".pg-scale input");
  if (!radio || event.ctrlKey || event.altKey || event.metaKey) return;
  const radios = [...radio.closest(".pg-scale").querySelectorAll("input")];
  const now = radios.find((each) => each.checked);
  const at = (half) => radios.find((each) => Number(each.value) === half);
  if (/^[0-9]$/.test(event.key)) {
    const wanted = at(2 * Number(event.key));
    if (wanted) choose(radios, wanted);
  } else if ((event.key === "." || event.key === ",") && now) {
    const half = Number(now.value);
    choose(radios, at(half % 2 ? half - 1 : half + 1) ?? now);
  } else if (event.key === "Delete" || event.key === "Backspace") choose(radios, null);
  else return;
  event.preventDefault();
}

function step(by) {
  const all = criteria();
  // Who has not been on the sheet yet comes to its first criterion.
  const from = document.activeElement?.closest?.("[data-criterion]") ?? lastHere;
  const next = from ? all[all.indexOf(from) + by] : all[0];
  if (!next) return;
  open("sheet");
  const scale = [...next.querySelectorAll(".pg-scale input, select")];
  (scale.find((each) => each.checked) ?? scale[0])?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function keys(event) {
  if (event.key === "Enter" && event.ctrlKey && form) {
    event.preventDefault();
    const button = document.querySelector("[data-next]") ?? document.querySelector('[form="sheet-form"][value="save"]');
    form.requestSubmit(button);
  } else if (event.altKey && event.code === "KeyW") {
    event.preventDefault();
    const isReading = answers.contains(document.activeElement) || document.activeElement === answers;
    open(isReading ? "sheet" : "application");
    if (!isReading) answers.focus({ preventScroll: true });
    else (lastHere?.querySelector(".pg-scale input:checked") ?? lastHere?.querySelector("input, select, textarea") ?? sheet ?? answers).focus({ preventScroll: true });
  } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp") && form) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.altKey && event.code === "KeyA" && form) {
    event.preventDefault();
    show((here()?.dataset.answers ?? "").split(" "));
  } else if (event.altKey && event.code === "KeyQ" && form) {
    event.preventDefault();
    quote();
  }
}

// --- quoting a passage ---------------------------------------------------------------------------------------------

let passage = "";

function quote() {
  if (!passage) return;
  const text = (here() ?? criteria()[0])?.querySelector("textarea");
  if (!text) return;
  open("sheet");
  // Marks within a quotation are single, so that its end is seen.
  const quoted = `\u201c${passage.replaceAll("\u201c", "\u2018").replaceAll("\u201d", "\u2019")}\u201d`;
  const at = text.selectionStart ?? text.value.length;
  const before = text.value.slice(0, at);
  const gap = before && !/\s$/.test(before) ? " " : "";
  text.setRangeText(`${gap}${quoted} `, at, text.selectionEnd ?? at, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function startQuoting() {
  const button = split.querySelector("[data-quote]");
  document.addEventListener("selectionchange", () => {
    const chosen = getSelection();
    const isInside = chosen.rangeCount && answers.contains(chosen.anchorNode) && answers.contains(chosen.focusNode);
    const text = isInside ? chosen.toString().replace(/\s+/g, " ").trim() : "";
    // What was marked stays ready while one goes over to the sheet.
    if (text) passage = text;
    button.hidden = !passage;
  });
  // Before the press takes the marking away.
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  button.addEventListener("click", quote);
}

// --- back to the same place ----------------------------------------------------------------------------------------

const parts = (side) => every(side === answers ? "[id^=answer-], [id^=section-], #budget, #files" : "[data-question]", side);
const nameOf = (part) => part.dataset.question ?? part.id;

// The part at the top of a side, and how far the side is scrolled beyond it.
function spot(side) {
  let found = null;
  for (const part of parts(side)) {
    if (topOf(part, side) > side.scrollTop + 1) break;
    found = part;
  }
  return found ? { part: found, offset: Math.round(side.scrollTop - topOf(found, side)) } : { part: null, offset: Math.round(side.scrollTop) };
}

function place() {
  const reading = spot(answers);
  const top = spot(sheet);
  const active = document.activeElement?.closest?.("[data-question]") ?? lastField;
  const field = active ?? top.part;
  return {
    answer: reading.part ? reading.part.id : "",
    answer_offset: reading.offset,
    field: field ? nameOf(field) : "",
    field_offset: Math.round(field ? sheet.scrollTop - topOf(field, sheet) : sheet.scrollTop),
  };
}

let lastField = null;
let told = "";
// Whoever skips a sheet has left it: nothing may tell afterwards that it is open.
let isSkipped = false;

async function keep({ keepalive = false, again = false } = {}) {
  if (isSkipped) return;
  const now = new URLSearchParams(Object.entries(place()).map(([name, value]) => [name, String(value)]));
  if (!again && now.toString() === told) return;
  told = now.toString();
  try {
    await fetch(split.dataset.place, {
      method: "POST", body: now, keepalive,
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token?.value ?? "" },
    });
  } catch {
    told = "";
  }
}

function goBack() {
  const { atAnswer, atAnswerOffset, atField, atFieldOffset } = split.dataset;
  if (location.hash || document.querySelector("[data-error-summary]")) return;
  const reading = atAnswer && document.getElementById(atAnswer);
  if (reading || Number(atAnswerOffset)) answers.scrollTop = (reading ? topOf(reading, answers) : 0) + Number(atAnswerOffset);
  const field = atField && sheet.querySelector(`[data-question="${CSS.escape(atField)}"]`);
  if (field) {
    const controls = [...field.querySelectorAll("input, select, textarea")].filter((each) => each.name === field.dataset.name);
    const control = controls.find((each) => each.checked) ?? controls[0];
    open("sheet");
    control?.focus({ preventScroll: true });
    [lastField, lastHere] = [field, field.closest("[data-criterion]")];
    sheet.scrollTop = topOf(field, sheet) + Number(atFieldOffset);
  }
}

function startPlace() {
  let wait;
  const soon = () => {
    clearTimeout(wait);
    wait = setTimeout(() => keep(), 800);
  };
  for (const side of [answers, sheet]) side.addEventListener("scroll", soon, { passive: true });
  sheet.addEventListener("focusin", (event) => {
    lastField = event.target.closest("[data-question]") ?? lastField;
    lastHere = event.target.closest("[data-criterion]") ?? lastHere;
    soon();
  });
  form.addEventListener("submit", (event) => { isSkipped = event.submitter?.value === "skip"; });
  addEventListener("pageshow", () => { isSkipped = false; });
  addEventListener("pagehide", () => keep({ keepalive: true }));
  document.addEventListener("visibilitychange", () => document.hidden && keep({ keepalive: true }));
  // An open page in which somebody works tells so: from it comes how long one sheet takes.
  let isBusy = true;
  for (const sign of ["keydown", "pointermove", "wheel", "touchstart"]) addEventListener(sign, () => { isBusy = true; }, { passive: true });
  setInterval(() => {
    if (isBusy && !document.hidden) keep({ again: true });
    isBusy = false;
  }, 30_000);
}

// --- the page ------------------------------------------------------------------------------------------------------

function startSheet() {
  form.addEventListener("change", tell);
  startSingleKeys();
  form.addEventListener("keydown", figures);
  // What the rule still asks for, in the server's words.
  form.addEventListener("stored", (event) => {
    if (!event.detail.lacking) return;
    for (const line of every("[data-needs]", form)) {
      const words = event.detail.lacking[line.dataset.needs] ?? "";
      if (line.textContent !== words) line.textContent = words;
    }
    tell();
  });
  const saved = split.querySelector("[data-saved]");
  new MutationObserver((changes) => {
    const said = changes.map((change) => change.target.closest?.("[data-state]") ?? change.target.parentElement?.closest("[data-state]")).filter(Boolean).pop();
    const open = every("[data-state]", form).find((line) => line.textContent.startsWith("Not saved"));
    const words = (open ?? said)?.textContent;
    if (!words) return;
    saved.textContent = words.split(". ")[0];
    saved.className = words.startsWith("Saved") ? "pg-saved" : open ? "late" : "quiet";
  }).observe(form, { subtree: true, childList: true, characterData: true });
  for (const area of every("[data-needs]", form)) {
    const text = form.elements[area.dataset.needs];
    text?.setAttribute("aria-describedby", [text.getAttribute("aria-describedby"), area.id].filter(Boolean).join(" "));
  }
  startMeanings();
  tell();
  startPlace();
}

if (split && answers) {
  startTabs();
  startBar();
  startShowing();
  answers.addEventListener("click", toCriterion);
  startQuotes();
  addEventListener("keydown", keys);
  if (form && sheet) {
    startQuoting();
    startSheet();
    goBack();
  }
}
