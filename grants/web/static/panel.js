// A meeting of the panel: the page follows the chair. It asks every two seconds whether anything it shows has changed,
// and only then fetches itself again. Without it, the link “Show what stands now” does the same.
const line = document.querySelector("[data-live-line]");
const now = document.getElementById("live-now");
const every = Number(now.dataset.every);
let beat = now.dataset.live;
let lost = false;

const say = (text) => {
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("late", lost);
};

// Seconds since the server counted them; the server’s count is taken again with each change.
let counted = performance.now();
const clockOf = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
const tick = () => {
  for (const clock of now.querySelectorAll("[data-runs]")) {
    const seconds = Number(clock.dataset.seconds) + Math.floor((performance.now() - counted) / 1000);
    clock.textContent = clockOf(seconds);
    const over = clock.parentElement.querySelector("[data-over]");
    const late = seconds - 60 * Number(clock.dataset.limit);
    if (over) over.textContent = late > 0 ? `${clockOf(late)} over` : "";
  }
};

// What somebody types stays, where the same form still stands.
const fields = (root) => [...root.querySelectorAll("form")].flatMap((form) =>
  [...form.querySelectorAll("textarea, select, input[type=radio]")].map((field) => [`${form.getAttribute("action")} ${field.name} ${field.type === "radio" ? field.value : ""}`, field]));
const changed = (field) => field.type === "radio" ? field.checked !== field.defaultChecked
  : field.tagName === "SELECT" ? field.selectedIndex > 0 : field.value !== field.defaultValue;

const show = (fresh) => {
  const typed = new Map(fields(now).filter(([, field]) => changed(field)));
  const opened = [...now.querySelectorAll("details")].map((each) => each.open);
  const held = document.activeElement?.id;
  const same = now.querySelector("#now-h")?.textContent === fresh.querySelector("#now-h")?.textContent;
  now.replaceChildren(...fresh.childNodes);
  counted = performance.now();
  if (!same) return;
  for (const [key, field] of fields(now)) {
    const before = typed.get(key);
    if (!before) continue;
    if (field.type === "radio") field.checked = before.checked;
    else field.value = before.value;
  }
  [...now.querySelectorAll("details")].forEach((each, place) => { each.open = opened[place] ?? false; });
  if (held) document.getElementById(held)?.focus({ preventScroll: true });
};

const follow = async () => {
  try {
    const asked = await fetch(now.dataset.pulse, { headers: { Accept: "application/json", "If-None-Match": `"${beat}"` }, cache: "no-store" });
    if (asked.status === 401) return say("You are signed out. Sign in again in another window; this page then goes on.");
    if (asked.status === 403 || asked.status === 404) return say("This meeting is not open to you any more.");
    if (!asked.ok && asked.status !== 304) throw new Error(String(asked.status));
    if (asked.status === 200 || lost) {
      const page = await fetch(now.dataset.page, { cache: "no-store" });
      if (!page.ok) throw new Error(String(page.status));
      const fresh = new DOMParser().parseFromString(await page.text(), "text/html").getElementById("live-now");
      if (!fresh) return say("You may be signed out. Open this page again.");
      beat = fresh.dataset.live;
      show(fresh);
    }
    if (lost) {
      lost = false;
      return say(`Connected again at ${onClock(Date.now())}. This page follows the chair.`);
    }
    if (!line.textContent.startsWith("Connected again")) say("This page follows the chair.");
  } catch {
    if (!lost) {
      lost = true;
      say(`No connection since ${onClock(Date.now())}. What you see may be old; it is tried again every ${every / 1000} seconds.`);
    }
  }
};

const go = async () => {
  await follow();
  setTimeout(go, every);
};
go();
setInterval(tick, 1000);
