// The eligibility desk: each answer saves itself, and the keyboard leads from one application to the next.
// The page works without it by its buttons and links; the server decides who may overwrite what.
const PAUSE_MS = 1500;
// One save after the other, so that each knows which version of the whole check it followed.
let last = Promise.resolve();
const version = document.querySelector("#check input[name=version]");
// Once the form itself is sent, nothing more is saved beside it.
let leaving = false;

class Condition {
  constructor(box) {
    this.box = box;
    this.number = Number(box.dataset.number);
    this.line = box.querySelector("[data-state]");
    this.choices = [...box.querySelectorAll("input[type=radio]")];
    this.reason = box.querySelector("textarea");
    this.saved = this.values();
    box.addEventListener("change", () => this.save());
    box.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), PAUSE_MS);
    });
  }

  values() {
    return JSON.stringify([this.choices.find((each) => each.checked)?.value ?? "", this.reason.value.trim()]);
  }

  say(text) {
    this.line.textContent = text;
    this.line.classList.toggle("late", text.startsWith("Not saved"));
  }

  async save() {
    clearTimeout(this.timer);
    const values = this.values();
    if (leaving || values === this.saved) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    const [verdict, reason] = JSON.parse(values);
    if (!verdict) return this.say("Choose whether it is met; it is saved then.");
    if (verdict === "fail" && !reason) return this.say("Write the reason; it is saved then.");
    this.busy = true;
    this.say("Saving");
    try {
      const mine = last.then(() => this.send(values, new URLSearchParams({ verdict, reason, number: String(this.number) })));
      last = mine.catch(() => {});
      await mine;
    } catch {
      this.say("Not saved: no connection. Your words stay here; the button below saves them too.");
    }
    this.busy = false;
    if (this.again) {
      this.again = false;
      this.save();
    }
  }

  async send(values, body) {
    const headers = { Accept: "application/json", "X-CSRFToken": document.querySelector("input[name=csrf_token]")?.value ?? "" };
    const answer = await fetch(this.box.dataset.save, { method: "POST", body, headers });
    if (!answer.headers.get("content-type")?.includes("json")) return this.say("Not saved: you may be signed out. Open the page again in another window.");
    const told = await answer.json();
    if (answer.ok) {
      this.number = told.number;
      this.saved = values;
      // One's own saves must not make the form below stale; another officer's do.
      if (version?.value === String(told.before)) version.value = String(told.version);
      return this.say(`Saved ${told.saved_at}`);
    }
    if (answer.status === 409 && "number" in told) {
      const other = told.verdict === "pass" ? "Met" : "Not met";
      // Seen now, so what this person keeps or chooses next is in sight of it.
      this.number = told.number;
      return this.say(`Not saved: ${told.problem} There stands: ${other}${told.reason ? `. ${told.reason}` : ""}. Change yours to replace it, or open the page again to keep it.`);
    }
    return this.say(`Not saved: ${told.problem}`);
  }
}

for (const box of document.querySelectorAll("[data-condition]")) new Condition(box);

// What is on its way arrives first: a form that overtook its own saves would be told that somebody changed the check.
const check = document.querySelector("#check");
check?.addEventListener("submit", (event) => {
  if (leaving === "now") return;
  event.preventDefault();
  leaving = true;
  // Not at once: while this sending is being told, a browser takes no other.
  last.then(() => setTimeout(() => {
    leaving = "now";
    check.requestSubmit(event.submitter ?? undefined);
  }));
});

const ways = { ArrowRight: "a[rel=next]", ArrowLeft: "a[rel=prev]", ArrowDown: "a[data-unchecked]" };
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey || !event.altKey || !(event.key in ways)) return;
  const link = document.querySelector(`.pg-desk-way ${ways[event.key]}`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
