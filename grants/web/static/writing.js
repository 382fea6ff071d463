// Saves each answer while one types, and never loses a word: what is not stored yet is kept in this browser.
// The page works without it by its button, and the same rule decides there who may overwrite what.
const root = document.querySelector("[data-writing]");
const OFFLINE = "Not saved: no connection.";
const SIGNED_OUT = "Not saved: you are signed out.";
const seconds = (name, otherwise) => Number(root.dataset[name] ?? otherwise);
const tab = Math.random().toString(36).slice(2);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
// As the server tidies: a space at the end is no change.
const plain = (values) => values.map((value) => value.replace(/\r\n?/g, "\n").normalize("NFC").trim()).filter(Boolean);

// On a slow line one may type before this ran. A browser brings text back only to a page nobody has touched yet.
const isTypedHere = (control) => control === document.activeElement || Boolean(navigator.userActivation?.hasBeenActive);

// --- the text kept in this browser -----------------------------------------------------------------------------

// One entry a person, field, version it was typed over, and window; unreadable ones are left to whoever wrote them.
const shelf = {
  prefix: (question) => `unsent|${root.dataset.person}|${root.dataset.thing}|${question}|`,
  put(key, entry) {
    try {
      localStorage.setItem(key, JSON.stringify(entry));
      return true;
    } catch {
      return false;
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      return;
    }
  },
  found(question) {
    try {
      return Object.keys(localStorage)
        .filter((key) => key.startsWith(this.prefix(question)))
        .map((key) => ({ key, ...JSON.parse(localStorage.getItem(key)) }))
        .sort((one, other) => other.at - one.at);
    } catch {
      return [];
    }
  },
};

// --- what is said aloud: each thing once, what is only good news seldom ------------------------------------------

const aloud = document.createElement("div");
aloud.className = "vh";
aloud.setAttribute("role", "status");
aloud.setAttribute("aria-live", "polite");
let saidLast = "";
let saidAt = 0;
const speak = (text, isGood) => {
  const now = Date.now();
  if (text === saidLast || (isGood && saidLast && now - saidAt < 30_000 && !saidLast.startsWith("Not saved"))) return;
  [saidLast, saidAt] = [text, now];
  aloud.textContent = text;
};

// --- one field ---------------------------------------------------------------------------------------------------

class Field {
  constructor(box) {
    this.box = box;
    this.question = box.dataset.question;
    this.address = box.dataset.save;
    this.line = box.querySelector("[data-state]");
    this.others = box.querySelector("[data-others]");
    this.controls = [...box.querySelectorAll("textarea, input, select")].filter(
      (control) => control.type !== "hidden" && control.name === (box.dataset.name ?? `answer_${this.question}`),
    );
    this.carried = document.querySelector(`input[name="number_${this.question}"]`);
    for (const list of this.controls.filter((control) => control.matches("select"))) whatWasSent(list);
    const early = this.controls.some(isTypedHere) ? this.values() : null;
    // What the server sent counts, not what the browser brought back from an earlier visit.
    for (const control of this.controls) {
      if (control.matches("[type=checkbox], [type=radio]")) control.checked = control.defaultChecked;
      else control.value = control.defaultValue;
    }
    this.number = Number(box.dataset.number);
    this.acknowledged = this.values();
    this.unanswered = [];
    this.tries = 0;
    this.isContested = "contested" in box.dataset;
    // What is wrong with what is stored: said by the page, and by every save since.
    this.fault = this.line.textContent;
    // What the rule asked of it as the page came: another field may settle that.
    this.demanded = document.querySelector(`[data-needs="${CSS.escape(this.question)}"]`)?.textContent;
    for (const event of ["input", "change"]) box.addEventListener(event, (told) => this.controls.includes(told.target) && this.typed());
    box.addEventListener("focusout", () => this.isDirty && !this.waitsForServer && this.save());
    this.offerWhatWasLeft();
    if (early && !same(early, this.acknowledged)) this.put(early);
  }

  set number(number) {
    this.shown = number;
    if (this.carried) this.carried.value = String(number);
  }

  get number() {
    return this.shown;
  }

  get key() {
    return `${shelf.prefix(this.question)}${this.number}|${tab}`;
  }

  // Text on the way whose answer was lost may be stored or not: until that is known, nothing is settled.
  get isDirty() {
    return !same(this.values(), this.acknowledged) || (!this.busy && this.unanswered.length > 0);
  }

  // After a failure the next try has its own time; a blur does not add another.
  get waitsForServer() {
    return this.tries > 0;
  }

  values() {
    return this.controls.flatMap((control) =>
      control.matches("[type=checkbox], [type=radio]") ? (control.checked ? [control.value] : []) : [control.value],
    );
  }

  put(values) {
    const isTick = this.controls.length === 1 && this.controls[0].type === "checkbox";
    // A table has a box for each cell, in the order in which the cells are sent; any other text has one box.
    for (const [place, control] of this.controls.entries()) {
      if (isTick) control.checked = values.some(Boolean);
      else if (control.matches("[type=checkbox], [type=radio]")) control.checked = values.includes(control.value);
      else if (control.value !== (values[place] ?? "")) control.value = values[place] ?? "";
    }
    // The counter of words listens to it; so do we.
    this.controls[0]?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  say(text, isGood = false) {
    this.line.textContent = text;
    this.line.classList.toggle("is-saved", isGood);
    this.line.classList.toggle("late", text.startsWith("Not saved:") || (text !== "" && text === this.fault));
    if (isGood || text.startsWith("Not saved:")) speak(`${text} ${this.box.dataset.label}`, isGood);
  }

  typed() {
    if (!this.isDirty) {
      this.forget();
      // Leaving a field whose text is stored tells of a change once more: what is said of it stands.
      if (!this.line.classList.contains("is-saved")) this.say(this.fault);
      return;
    }
    this.keep();
    if (!this.waitsForServer && !this.clash) this.say("Not saved yet");
    this.later(this.pause);
  }

  // What is chosen is stored at once; what is typed after a pause.
  get pause() {
    return Number(this.box.dataset.pause ?? seconds("pause", 2000));
  }

  keep() {
    const entry = { values: this.values(), at: Date.now(), number: this.number };
    if (this.keptAs && this.keptAs !== this.key) shelf.drop(this.keptAs);
    this.keptAs = this.key;
    this.isKept = shelf.put(this.key, entry);
  }

  forget() {
    if (this.keptAs) shelf.drop(this.keptAs);
    this.keptAs = null;
  }

  get whereKept() {
    return this.isKept ? "Your text is kept in this browser" : "Your text is on this page only, so leave it open";
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), milliseconds);
  }

  // One request at a time; what is typed meanwhile goes with the next.
  async save() {
    clearTimeout(this.timer);
    if (this.busy) {
      this.again = true;
      return this.busy;
    }
    if (!this.isDirty) return undefined;
    this.busy = this.send().finally(() => {
      this.busy = null;
      if (this.again) {
        this.again = false;
        if (this.isDirty) this.later(0);
      }
    });
    return this.busy;
  }

  async send() {
    const values = this.values();
    this.keep();
    if (!this.waitsForServer && !this.clash) this.say("Saving…");
    if (!this.unanswered.some((sent) => same(sent, plain(values)))) this.unanswered.push(plain(values));
    const number = this.number;
    let answer;
    let told = {};
    try {
      answer = await post(this.address, [["number", number], ...values.map((value) => ["value", value])]);
      told = await answer.json();
      await released();
    } catch {
      await released();
      this.failed(`${OFFLINE} ${this.whereKept} and is sent when the connection is back.`);
      return;
    }
    if (answer.ok) this.stored(values, told);
    else if (answer.status >= 500 || answer.status === 429) {
      this.failed(`Not saved: the server cannot take it now. ${this.whereKept} and is sent again by itself.`);
    } else if (answer.status === 409 && told.stored) {
      // Leaving the field sends it once more: what comes back after one has chosen asks for nothing that is not settled.
      if (number === this.number) this.contested(values, told);
    } else if (answer.status === 409) this.later(500);
    else if (answer.status === 400 && told.too_old && (await renewToken())) this.later(0);
    else if (answer.status === 401 || told.too_old) this.signedOut();
    else {
      this.tries = 0;
      this.unanswered = [];
      this.say(`Not saved: ${told.problem ?? "the server refused it."} ${this.whereKept}.`);
    }
  }

  stored(values, told) {
    const isOwn = told.other && this.unanswered.some((sent) => same(sent, plain(told.other)));
    this.tries = 0;
    this.unanswered = [];
    this.clash?.remove();
    this.clash = null;
    this.number = told.number;
    this.acknowledged = told.other ?? values;
    // Nothing of one's own was in it, and somebody else has written: that is what one goes on from.
    if (told.other && !isOwn && same(this.values(), values)) this.put(told.other);
    this.box.dispatchEvent(new CustomEvent("stored", { bubbles: true, detail: told }));
    if (this.isDirty) {
      this.keep();
      this.later(this.pause);
      return;
    }
    this.forget();
    this.fault = told.problem && plain(values).length ? told.problem : "";
    const problem = this.fault ? ` ${this.fault}` : "";
    this.say(`Saved ${told.saved_at}${problem ? `.${problem}` : ""}`, true);
  }

  // What a save mends is wrong no more, beside the field and in the list on top; what it leaves wrong is told as it is now.
  mended({ problem, lacking }, isOwn) {
    const id = this.box.dataset.name ?? `answer_${this.question}`;
    const wrong = document.getElementById(`${id}-error`);
    const said = wrong?.lastChild.textContent;
    const isDemand = lacking && said === this.demanded;
    if (!wrong || !(isDemand || (isOwn && plain(this.acknowledged).length))) return;
    const still = problem ?? lacking?.[this.question] ?? "";
    if (isDemand) this.demanded = still;
    const links = [...document.querySelectorAll(`[data-error-summary] a[href="#${CSS.escape(id)}"]`)];
    for (const part of still ? [wrong, ...links] : []) part.lastChild.textContent = still;
    if (still) return;
    wrong.closest(".govuk-form-group--error")?.classList.remove("govuk-form-group--error");
    for (const control of this.controls) {
      control.classList.remove(...[...control.classList].filter((each) => each.endsWith("--error")));
      control.removeAttribute("aria-invalid");
      const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== wrong.id);
      if (described.length) control.setAttribute("aria-describedby", described.join(" "));
      else control.removeAttribute("aria-describedby");
    }
    wrong.remove();
    for (const link of links) link.closest("li").remove();
    const list = document.querySelector("[data-error-summary]");
    if (list && !list.querySelector("li")) {
      list.remove();
      document.title = document.title.replace(/^Error: /, "");
    }
  }

  failed(sentence) {
    this.tries += 1;
    this.say(sentence);
    this.later(Math.min(seconds("retry", 2000) * 2 ** (this.tries - 1), 60_000));
  }

  signedOut() {
    this.failed(`${SIGNED_OUT} ${this.whereKept}. `);
    const link = document.createElement("a");
    Object.assign(link, { href: root.dataset.signIn, target: "_blank", rel: "noopener", className: "govuk-link", textContent: "Sign in again (it opens in a new tab)" });
    this.line.append(link);
  }

  // What the server stores already may be our own words, whose answer was lost on the way.
  contested(values, told) {
    this.tries = 0;
    if (this.unanswered.some((sent) => same(sent, plain(told.stored)))) {
      [this.number, this.acknowledged] = [told.number, told.stored];
      this.unanswered = [];
      this.keep();
      this.later(0);
      return;
    }
    this.unanswered = [];
    this.say("Not saved: it was changed meanwhile. Choose below which text shall stand.");
    const hadFocus = this.clash?.contains(document.activeElement);
    this.clash?.remove();
    this.clash = filled("writing-clash", {
      said: told.problem,
      stored: told.stored_shown,
      mine: this.shownValues(values),
      merged: told.merged_shown ?? "",
      overlaps: told.overlaps
        ? `In ${told.overlaps} ${told.overlaps === 1 ? "place" : "places"} ${told.own ? "both windows" : "both of you"} changed the same words: there both wordings stand, one after the other.`
        : "",
    });
    if (!told.merged) for (const part of this.clash.querySelectorAll("[data-with-merged]")) part.remove();
    const choose = { mine: () => this.values(), stored: () => told.stored, merged: () => told.merged };
    for (const button of this.clash.querySelectorAll("[data-use]")) {
      button.addEventListener("click", () => {
        // What was typed since stands in no text shown here: ask again first, so that nothing is replaced unseen.
        if (button.dataset.use !== "mine" && !same(this.values(), values)) this.save();
        else this.settle(told.number, choose[button.dataset.use](), told.stored);
      });
    }
    this.box.append(this.clash);
    if (hadFocus) this.clash.focus();
    // The sentence and its choice are seen together; whoever writes elsewhere meanwhile is not moved away from it.
    const at = document.activeElement;
    if (this.box.contains(at) || !at?.matches("input, textarea, select, [contenteditable]")) {
      this.line.scrollIntoView({ block: "nearest" });
      this.clash.scrollIntoView({ block: "nearest" });
    }
  }

  settle(number, values, stored) {
    this.clash?.remove();
    this.clash = null;
    this.number = number;
    this.acknowledged = stored;
    this.unanswered = [];
    this.put(values);
    this.controls[0]?.focus();
    if (this.isDirty) this.save();
    else {
      this.forget();
      this.say("The stored text stands", true);
    }
  }

  shownValues(values) {
    const labels = this.controls
      .filter((control) => control.matches("[type=checkbox], [type=radio]") && values.includes(control.value))
      .map((control) => control.labels[0]?.textContent.trim() ?? control.value);
    const lists = this.controls.filter((control) => control.matches("select"));
    if (lists.length) return lists.flatMap((list) => [...list.options].filter((each) => values.includes(each.value)).map((each) => each.text)).join("; ");
    return labels.length ? labels.join("; ") : values.join("; ");
  }

  // Text of an earlier visit that never reached the server: offered beside what is stored, never put in by itself.
  offerWhatWasLeft() {
    for (const entry of shelf.found(this.question)) {
      if (!Array.isArray(entry.values) || same(plain(entry.values), plain(this.values()))) {
        if (!this.isContested) shelf.drop(entry.key);
        continue;
      }
      const offer = filled("writing-offer", {
        said: `You had typed this on ${onClock(entry.at, { day: "numeric", month: "long", year: "numeric" })} and it was not saved.`,
        mine: this.shownValues(entry.values),
        stored: this.shownValues(this.values()),
      });
      for (const button of offer.querySelectorAll("[data-use]")) {
        button.addEventListener("click", async () => {
          if (button.dataset.use === "mine") {
            // What was typed since then is stored first, so that it stays in the history.
            await this.busy;
            await this.save();
            if (this.isDirty || this.clash) return;
            this.put(entry.values);
            this.controls[0]?.focus();
            this.save();
          }
          offer.remove();
          shelf.drop(entry.key);
        });
      }
      this.box.prepend(offer);
    }
  }
}

// A list of choices knows no value it came with, as every other control does; from here on it does.
function whatWasSent(list) {
  const sent = [...list.options].find((each) => each.defaultSelected) ?? list.options[0];
  Object.defineProperty(list, "defaultValue", { value: sent?.value ?? "", writable: true });
}

function filled(name, texts) {
  const part = document.getElementById(name).content.firstElementChild.cloneNode(true);
  for (const [place, text] of Object.entries(texts)) {
    const found = part.querySelector(`[data-${place}]`);
    if (found) found.textContent = text;
  }
  part.setAttribute("aria-label", texts.said);
  return part;
}

// --- talking to the server -----------------------------------------------------------------------------------------

const form = root?.querySelector("form");

async function post(address, pairs, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), seconds("patience", 15_000));
  try {
    return await fetch(address, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token?.value ?? "" },
      body: new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])),
      signal: stop.signal,
      ...options,
    });
  } finally {
    clearTimeout(timer);
  }
}

// After another sign-in the page's token is too old; a fresh page of the same person has a new one.
async function renewToken() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = fresh.querySelector("[name=csrf_token]")?.value;
    if (!token || fresh.querySelector("[data-reader]")?.dataset.reader !== root.dataset.person) return false;
    const isNew = token !== form.elements.csrf_token.value;
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = token;
    return isNew;
  } catch {
    return false;
  }
}

// --- who else is here ----------------------------------------------------------------------------------------------

class Presence {
  constructor(fields) {
    this.fields = fields;
    this.spot = "";
    root.addEventListener("focusin", (told) => this.at(this.of(told.target)));
    root.addEventListener("focusout", (told) => !this.of(told.relatedTarget) && this.at(""));
    addEventListener("pagehide", () => this.spot && post(root.dataset.presence, [["question", ""]], { keepalive: true }).catch(() => {}));
  }

  of(element) {
    return element?.closest?.("[data-question]")?.dataset.question ?? "";
  }

  at(spot) {
    if (spot === this.spot) return;
    this.spot = spot;
    clearInterval(this.beat);
    this.tell();
    if (spot) this.beat = setInterval(() => this.tell(), seconds("beat", 15_000));
  }

  async tell() {
    let others = [];
    try {
      const answer = await post(root.dataset.presence, [["question", this.spot]]);
      others = answer.ok ? (await answer.json()).others : [];
    } catch {
      others = [];
    }
    await released();
    for (const field of this.fields) {
      const here = this.spot ? others.filter((other) => other.question === field.question) : [];
      const said = here.map((other) => other.sentence).join(" ");
      if (said && said !== field.others.textContent) speak(said, false);
      field.others.textContent = said;
    }
  }
}

// --- the page ------------------------------------------------------------------------------------------------------

function start() {
  root.append(aloud);
  const fields = [...root.querySelectorAll("[data-question]")].map((box) => new Field(box));
  if (root.dataset.presence) new Presence(fields);
  form.addEventListener("stored", (told) => fields.forEach((field) => field.mended(told.detail, field.box === told.target)));
  let isSent = false;
  const retry = () => fields.filter((field) => field.waitsForServer && field.isDirty).forEach((field) => field.save());
  addEventListener("online", retry);
  // Back from signing in, in another tab.
  addEventListener("focus", retry);
  addEventListener("offline", () => {
    for (const field of fields.filter((each) => each.isDirty)) field.save();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) fields.filter((field) => field.isDirty && !field.waitsForServer).forEach((field) => field.save());
  });
  addEventListener("beforeunload", (told) => {
    if (!isSent && fields.some((field) => field.isDirty)) told.preventDefault();
  });
  // The button saves everything once more; fields are settled first, so that nobody competes with oneself.
  form.addEventListener("submit", async (told) => {
    const open = fields.filter((field) => field.isDirty || field.busy);
    if (isSent || !open.length) {
      isSent = true;
      return;
    }
    told.preventDefault();
    await Promise.race([settled(open), new Promise((go) => { setTimeout(go, 4000); })]);
    const stuck = fields.find((field) => field.clash || (field.isDirty && !navigator.onLine));
    if (stuck) {
      (stuck.clash ?? stuck.controls[0]).focus();
      return;
    }
    isSent = true;
    form.requestSubmit(told.submitter);
  });
  addEventListener("pageshow", () => { isSent = false; });
}

async function settled(fields) {
  for (const field of fields) {
    await field.busy;
    await field.save();
    await field.busy;
  }
}

if (root && form) start();
