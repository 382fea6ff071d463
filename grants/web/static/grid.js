// The budget as a spreadsheet: keys, pasted blocks, sums while one types, each cell saved by itself.
// The page works without it by its button, and the server reads, adds up and decides by the same rules.

// --- amounts, as the server reads and writes them ----------------------------------------------------------------

const LEAD = "[1-9][0-9]{0,2}";
const GAP = "[ \u00a0\u202f\u2009]";
const WHOLE = `(?:[0-9]+|${LEAD}(?:${GAP}[0-9]{3})+|${LEAD}(?:\\.[0-9]{3})+|${LEAD}(?:,[0-9]{3})+|${LEAD}(?:'[0-9]{3})+)`;
const AMOUNT = new RegExp(`^([-\u2212])?(${WHOLE})(?:([.,])([0-9]{1,2}))?$`);
const TWO_WAYS = new RegExp(`^(${LEAD})([.,])([0-9]{3})$`);
const CENTS_MAX = 10n ** 15n;

// An amount without its currency, which a spreadsheet may write before or after it.
function withoutCurrency(text) {
  const tidy = text.trim();
  for (const sign of ["EUR", "\u20ac"]) {
    if (tidy.startsWith(sign)) return tidy.slice(sign.length).trim();
    if (tidy.endsWith(sign)) return tidy.slice(0, -sign.length).trim();
  }
  return tidy;
}

// Cents, or null for what is no amount, or both readings of what can be read two ways.
export function readAmount(text, marks = "") {
  const tidy = text.trim();
  if (!tidy) return { cents: 0n };
  const bare = withoutCurrency(tidy);
  const unclear = TWO_WAYS.exec(bare);
  if (unclear) {
    const [, lead, mark, rest] = unclear;
    if (!marks) return { cents: null, mark, ways: [`${lead} ${rest}`, rest.endsWith("0") ? `${lead}${mark}${rest.slice(0, 2)}` : `${lead}${mark}${rest}, to be rounded`] };
    const isThousands = (marks === "dot") === (mark === ".");
    return { cents: isThousands ? BigInt(lead + rest) * 100n : null };
  }
  const found = AMOUNT.exec(bare);
  if (!found || (found[3] && found[2].includes(found[3])) || found[1]) return { cents: null };
  const cents = BigInt(found[2].replace(/[^0-9]/g, "")) * 100n + BigInt((found[4] ?? "0").padEnd(2, "0"));
  return { cents: cents > CENTS_MAX ? null : cents };
}

// Cents of so many units of a column that is paid by units, or null for what is none; ``unit`` is [cents of one, decimals].
export function readUnits(text, [rate, decimals]) {
  const found = /^([0-9]{1,9})(?:[.,]([0-9]{1,4}))?\s*(?:u|units?)$/i.exec(text.trim());
  if (!found) return null;
  const parts = (found[2] ?? "").replace(/0+$/, "");
  if (parts.length > decimals) return null;
  const count = BigInt(found[1] + parts.padEnd(decimals, "0"));
  return (count * BigInt(rate)) / 10n ** BigInt(decimals);
}

export function plain(cents, isWhole = false) {
  const whole = String(cents / 100n).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
  return isWhole ? whole : `${whole}.${String(cents % 100n).padStart(2, "0")}`;
}

// What a block says of its own marks, by the amounts in it that can be read one way only.
export function marksOf(texts) {
  const says = { dot: false, comma: false };
  for (const text of texts.map(withoutCurrency)) {
    if (/^[^.]*\d,\d{1,2}$/.test(text) || /\d\.\d{3}(\.\d{3}|,\d)/.test(text)) says.dot = true;
    if (/^[^,]*\d\.\d{1,2}$/.test(text) || /\d,\d{3}(,\d{3}|\.\d)/.test(text)) says.comma = true;
  }
  return says.dot === says.comma ? "" : says.dot ? "dot" : "comma";
}

// Rows and columns of what a spreadsheet puts on the clipboard; quoted cells may hold tabs and line ends.
export function blockOf(text) {
  const rows = [[""]];
  let isQuoted = false;
  const clean = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let at = 0; at < clean.length; at += 1) {
    const sign = clean[at];
    const row = rows.at(-1);
    if (sign === '"' && (isQuoted || row.at(-1) === "")) {
      if (isQuoted && clean[at + 1] === '"') {
        row[row.length - 1] += '"';
        at += 1;
      } else isQuoted = !isQuoted;
    } else if (sign === "\t" && !isQuoted) row.push("");
    else if (sign === "\n" && !isQuoted) rows.push([""]);
    else row[row.length - 1] += sign;
  }
  return rows;
}

// --- sums, exact to the cent --------------------------------------------------------------------------------------

const add = (amounts) => amounts.reduce((sum, each) => sum + each, 0n);
const halfUp = (cents, [over, under]) => (2n * cents * BigInt(over) + BigInt(under)) / (2n * BigInt(under));
const down = (cents, [over, under]) => (cents * BigInt(over)) / BigInt(under);

// By largest remainder: the parts always sum to the whole, ties go to the earlier part.
export function split(whole, weights) {
  const sum = add(weights);
  if (!sum) return weights.map(() => 0n);
  const parts = weights.map((weight) => (whole * weight) / sum);
  const left = weights.map((weight) => (whole * weight) % sum);
  const order = weights.map((_, part) => part).sort((one, other) => (left[one] === left[other] ? one - other : left[one] > left[other] ? -1 : 1));
  for (const part of order.slice(0, Number(whole - add(parts)))) parts[part] += 1n;
  return parts;
}

const byPackage = (one, other) => {
  const key = ({ code }) => [code ? 0 : 1, code.length, code];
  const [a, b] = [key(one), key(other)];
  const place = a.findIndex((part, at) => part !== b[at]);
  return place < 0 ? 0 : a[place] < b[place] ? -1 : 1;
};

// Every sum of the grid by its name. ``lines``: { who, code, period, amounts }, amounts by the place of the category.
export function sumsOf(rules, lines) {
  const sums = new Map();
  const put = (name, cents) => sums.set(name, (sums.get(name) ?? 0n) + cents);
  const people = [...new Set(lines.map((line) => line.who))];
  const periods = [...new Set(lines.map((line) => line.period))];
  for (const who of people) {
    for (const period of periods) {
      const own = lines.filter((line) => line.who === who && line.period === period).sort(byPackage);
      const bases = own.map((line) => add(rules.categories.map(([, isEntered, isBase], at) => (isEntered && isBase ? line.amounts[at] : 0n))));
      const parts = rules.rate ? split(halfUp(add(bases), rules.rate), bases) : own.map(() => 0n);
      own.forEach((line, at) => addLine(put, rules, line, parts[at]));
    }
    const asked = down(sums.get(`partner~${who}`) ?? 0n, rules.funding);
    put(`asked~${who}`, asked);
    put("asked", asked);
  }
  return sums;
}

function addLine(put, rules, line, indirect) {
  const slice = `${line.who}~${line.code}~${line.period}`;
  rules.categories.forEach(([category, isEntered], at) => {
    const cents = isEntered ? line.amounts[at] : indirect;
    for (const name of [`cell~${slice}`, `group~${line.code}`, `partner~${line.who}`, "all"]) put(`${name}~${category}`, cents);
    for (const name of [`row~${slice}`, `group~${line.code}`, `partner~${line.who}`, "all"]) put(name, cents);
  });
}

// --- the page -------------------------------------------------------------------------------------------------------

const root = document.querySelector("[data-grid]");
const form = root?.closest("form");
const seconds = (name, otherwise) => Number(root.dataset[name] ?? otherwise);

class Cell {
  constructor(input, row, column) {
    Object.assign(this, { input, row, column, place: input.id });
    // What the server sent counts, and what was typed before this ran; not what the browser brought back from an
    // earlier visit, which it does only on a page nobody has touched yet.
    if (input !== document.activeElement && !navigator.userActivation?.hasBeenActive) input.value = input.defaultValue;
    this.stand(Number(input.dataset.number), BigInt(input.dataset.cents));
    this.text = this.before = input.defaultValue;
  }

  // What is stored, and by which number.
  stand(number, cents) {
    Object.assign(this, { number, stored: cents });
  }

  get read() {
    const cents = this.input.dataset.unit ? readUnits(this.input.value, this.input.dataset.unit.split("~").map(Number)) : null;
    return cents === null ? readAmount(this.input.value, marks()) : { cents };
  }

  get cents() {
    return this.read.cents ?? this.stored;
  }

  get isDirty() {
    return this.read.cents !== this.stored;
  }

  get name() {
    return this.input.getAttribute("aria-label");
  }

  mark(isWrong) {
    this.input.closest("td").classList.toggle("is-bad", isWrong);
    if (isWrong) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }
}

const marks = () => form.elements.marks?.value ?? "";

class Grid {
  constructor() {
    this.rules = JSON.parse(root.dataset.rules);
    this.lines = [...root.querySelectorAll("tr[data-row]")].map((row) => {
      const [who, code, period] = row.dataset.row.split("~");
      return { row, who, code, period, fixed: new Map(), cells: new Map() };
    });
    this.cells = new Map();
    this.lines.forEach((line, at) => {
      for (const part of line.row.querySelectorAll("[data-cell]")) {
        const column = Number(part.dataset.cell);
        if (part.matches("input")) line.cells.set(column, new Cell(part, at, column));
        else line.fixed.set(column, BigInt(part.dataset.cents));
      }
      for (const cell of line.cells.values()) this.cells.set(cell.place, cell);
    });
    this.sums = [...document.querySelectorAll("[data-sum]")];
    this.says = document.querySelector("[data-grid-says]");
    this.state = this.says.querySelector("[data-grid-state]");
    this.told = this.says.querySelector("[data-grid-told]");
    this.told.setAttribute("role", "status");
    this.says.hidden = false;
    this.past = [];
    this.left = [];
    this.tries = 0;
    this.unsent = `unsent|${root.dataset.person}|${root.dataset.thing}|cells|${Math.random().toString(36).slice(2)}`;
    for (const [event, heard] of Object.entries({ keydown: "key", focusin: "enter", focusout: "leave", input: "typed", paste: "pasted", mousedown: "pressed" })) {
      root.addEventListener(event, (told) => {
        const cell = this.cells.get(told.target.id);
        if (cell) this[heard](cell, told);
      });
    }
    form.elements.marks?.addEventListener("change", () => this.commit([...this.cells.values()].filter((cell) => cell.isDirty)));
    document.querySelector("[data-keys]").hidden = false;
    this.add();
    this.offerWhatWasLeft();
    const early = [...this.cells.values()].filter((cell) => cell.input.value !== cell.text && cell.input !== document.activeElement);
    if (early.length) this.commit(early);
  }

  // --- moving about --------------------------------------------------------------------------------------------------

  enter(cell) {
    this.editing = "";
    cell.before = cell.input.value;
    cell.input.select();
  }

  pressed(cell) {
    if (document.activeElement === cell.input) this.editing = "inside";
  }

  typed() {
    this.editing ||= "over";
    this.add();
  }

  key(cell, told) {
    if (told.isComposing || told.altKey) return;
    const isModified = told.ctrlKey || told.metaKey;
    const isInside = this.editing === "inside";
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (told.key === "Enter") this.go(told, cell, told.shiftKey ? -1 : 1, 0);
    else if (told.key === "Escape") this.undoTyping(told, cell);
    else if (told.key === "F2") this.goInside(told, cell);
    else if (isModified && told.key.toLowerCase() === "z" && !this.editing && this.past.length) this.takeBack(told);
    else if (told.key in moves && !(isInside && told.key.match(/Left|Right/)) && !isModified && !told.shiftKey) this.go(told, cell, ...moves[told.key]);
    else if (["Home", "End"].includes(told.key) && !isInside) this.goFar(told, cell, isModified);
  }

  go(told, cell, down, right) {
    told.preventDefault();
    const columns = this.rules.categories.length;
    let [row, column] = [cell.row + down, cell.column + right];
    while (row >= 0 && row < this.lines.length && column >= 0 && column < columns) {
      const next = this.lines[row].cells.get(column);
      if (next) return next.input.focus();
      [row, column] = [row + down, column + right];
    }
    // At the edge: what was typed counts, and one stays.
    this.commit([cell]);
    return this.enter(cell);
  }

  goFar(told, cell, isWholeGrid) {
    told.preventDefault();
    const all = isWholeGrid ? [...this.cells.values()] : [...this.lines[cell.row].cells.values()];
    (told.key === "Home" ? all[0] : all.at(-1)).input.focus();
  }

  goInside(told, cell) {
    told.preventDefault();
    this.editing = this.editing === "inside" ? "over" : "inside";
    cell.input.setSelectionRange(cell.input.value.length, cell.input.value.length);
  }

  undoTyping(told, cell) {
    told.preventDefault();
    cell.input.value = cell.before;
    this.add();
    this.enter(cell);
  }

  // What is said above the table would move what is being pressed away from under the pointer: it waits for the release.
  leave(cell) {
    if (cell.input.value === cell.text) return;
    const release = released();
    this.left.push(cell);
    if (release) release.then(() => this.commitLeft());
    else this.commitLeft();
  }

  commitLeft() {
    const left = this.left.splice(0);
    if (left.length) this.commit(left);
  }

  // --- what was typed or pasted ---------------------------------------------------------------------------------------

  // Takes the cells' texts as meant: says how they were read, asks what is unclear, and saves the rest.
  commit(cells, { isUndone = false } = {}) {
    const changed = cells.filter((cell) => cell.input.value !== cell.text);
    if (changed.length && !isUndone) this.past.push(changed.map((cell) => [cell, cell.text]));
    const echoes = [];
    delete root.dataset.agrees;
    for (const cell of cells) {
      const { cents } = cell.read;
      const typed = cell.input.value.trim();
      cell.mark(cents === null);
      if (cents !== null) {
        if (typed && ![plain(cents), plain(cents, cents % 100n === 0n)].includes(typed.replace(/[ \u202f]/g, "\u00a0"))) echoes.push(`“${typed}” was read as EUR ${plain(cents)}.`);
        cell.input.value = cents ? plain(cents, cents % 100n === 0n) : "";
      }
      cell.text = cell.input.value;
    }
    this.add();
    const open = [...this.cells.values()].filter((cell) => cell.read.cents === null);
    this.tell(echoes, open);
    this.keep();
    this.later(seconds("pause", 600));
  }

  tell(echoes, open) {
    this.told.replaceChildren();
    if (echoes.length) this.note(echoes.length === 1 ? echoes[0] : `${echoes.length} amounts were read like this:`, echoes.length === 1 ? [] : echoes.slice(0, 8));
    const unclear = open.filter((cell) => cell.read.ways);
    for (const mark of [".", ","]) {
      const same = unclear.filter((cell) => cell.read.mark === mark);
      if (same.length) this.ask(mark, same);
    }
    const wrong = open.filter((cell) => !cell.read.ways);
    if (wrong.length) {
      const list = wrong.map((cell) => ({ cell, text: `${cell.name}: “${cell.input.value}” is no amount` }));
      this.note(`${wrong.length} ${wrong.length === 1 ? "cell is" : "cells are"} no amount and not saved. Write euros and at most two decimals, for example 1 250.50.`, list);
    }
  }

  ask(mark, cells) {
    const [first] = cells;
    const [thousands, decimals] = first.read.ways;
    const more = cells.length > 1 ? ` and ${cells.length - 1} more` : "";
    const answer = (text, means) => [text, () => {
      if (means === "decimals") for (const cell of cells) if (!cell.read.ways[1].includes(" ")) cell.input.value = cell.read.ways[1];
      form.elements.marks.value = (means === "thousands") === (mark === ".") ? "dot" : "comma";
      this.commit(cells);
      first.input.focus();
    }];
    this.note(`“${first.input.value}” (${first.name})${more} can be read two ways. What do you mean?`, [], [answer(thousands, "thousands"), answer(decimals, "decimals")]);
  }

  note(said, list = [], deeds = []) {
    const note = document.getElementById("grid-note").content.firstElementChild.cloneNode(true);
    note.querySelector("[data-said]").textContent = said;
    for (const each of list) {
      const item = document.createElement("li");
      if (each.cell) {
        const link = document.createElement("a");
        Object.assign(link, { href: `#${each.cell.place}`, className: "govuk-link", textContent: each.text });
        link.addEventListener("click", (told) => { told.preventDefault(); each.cell.input.focus(); });
        item.append(link);
      } else item.textContent = each;
      note.querySelector("[data-list]").append(item);
    }
    for (const [text, deed] of deeds) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "govuk-button govuk-button--secondary pg-btn-s", textContent: text });
      button.addEventListener("click", () => { note.remove(); deed(); });
      note.querySelector("[data-deeds]").append(button);
    }
    for (const part of ["[data-list]", "[data-deeds]"]) if (!note.querySelector(part).childElementCount) note.querySelector(part).remove();
    this.told.append(note);
    return note;
  }

  pasted(cell, told) {
    const text = told.clipboardData?.getData("text/plain") ?? "";
    const block = blockOf(text);
    const isOne = block.length === 1 && block[0].length === 1;
    if (isOne && this.editing === "inside") return;
    told.preventDefault();
    if (!marks() && form.elements.marks) form.elements.marks.value = marksOf(block.flat().map((each) => each.trim()));
    const landed = [];
    let outside = 0;
    block.forEach((row, down) => row.forEach((value, right) => {
      const target = this.lines[cell.row + down]?.cells.get(cell.column + right);
      if (!target) outside += value.trim() ? 1 : 0;
      else {
        target.input.value = value.trim();
        landed.push(target);
      }
    }));
    this.commit(landed);
    if (isOne) return this.enter(cell);
    const unread = landed.filter((each) => each.read.cents === null).length;
    const parts = [`${block.length} × ${Math.max(...block.map((row) => row.length))} cells were pasted: ${landed.length - unread} read`];
    if (unread) parts.push(`${unread} to look at`);
    if (outside) parts.push(`${outside} left out, because they fell on calculated cells, other partners or outside the table`);
    this.note(`${parts.join(", ")}.`, [], [["Take the block back", () => this.takeBack()]]);
    return cell.input.focus();
  }

  takeBack(told) {
    told?.preventDefault();
    const texts = this.past.pop() ?? [];
    for (const [cell, text] of texts) cell.input.value = text;
    this.commit(texts.map(([cell]) => cell), { isUndone: true });
    texts[0]?.[0].input.focus();
  }

  // --- sums -----------------------------------------------------------------------------------------------------------

  add() {
    const at = (line, column) => line.cells.get(column)?.cents ?? line.fixed.get(column) ?? 0n;
    const lines = this.lines.map((line) => ({ ...line, amounts: this.rules.categories.map((_, column) => at(line, column)) }));
    const sums = sumsOf(this.rules, lines);
    const isWhole = [...sums].every(([name, cents]) => cents % 100n === 0n || !/^(cell|row|partner|asked)/.test(name));
    for (const part of this.sums) {
      const cents = sums.get(part.dataset.sum) ?? 0n;
      part.textContent = plain(cents, isWhole && !("exact" in part.dataset));
    }
    this.total = sums.get("all") ?? 0n;
    this.requested = sums.get("asked") ?? 0n;
  }

  // --- saving ---------------------------------------------------------------------------------------------------------

  get dirty() {
    return [...this.cells.values()].filter((cell) => cell.isDirty && !cell.isContested);
  }

  say(text, isGood = false) {
    this.state.textContent = text;
    this.state.classList.toggle("pg-saved", isGood);
    this.state.classList.toggle("late", text.startsWith("Not saved:"));
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), milliseconds);
  }

  async save() {
    clearTimeout(this.timer);
    const cells = this.dirty.filter((cell) => cell.read.cents !== null && cell.input.value === cell.text);
    if (this.busy || !cells.length) return this.busy;
    this.say("Saving…");
    this.busy = this.send(cells).finally(() => {
      this.busy = null;
      this.keep();
    });
    return this.busy;
  }

  async send(cells) {
    const sent = cells.map((cell) => [cell.place, cell.input.value, cell.number, Number(cell.stored)]);
    let answer;
    let told = {};
    try {
      answer = await post(root.dataset.save, [["cells", JSON.stringify(sent)], ["marks", marks()]]);
      told = await answer.json();
      await released();
    } catch {
      await released();
      return this.failed("no connection. Your amounts are kept in this browser and sent when the connection is back.");
    }
    if (answer.ok) return this.stored(told, new Map(cells.map((cell, at) => [cell.place, sent[at][1]])));
    if (answer.status === 400 && told.too_old && (await renewToken())) return this.later(0);
    if (answer.status === 409) return this.later(500);
    if (answer.status === 401 || told.too_old) {
      this.failed("you are signed out. Your amounts are kept in this browser. ");
      const link = document.createElement("a");
      Object.assign(link, { href: root.dataset.signIn, target: "_blank", rel: "noopener", className: "govuk-link", textContent: "Sign in again (it opens in a new tab)" });
      return this.state.append(link);
    }
    if (answer.status >= 500 || answer.status === 429) return this.failed("the server cannot take it now. Your amounts are kept in this browser and sent again by themselves.");
    return this.say(`Not saved: ${told.problem ?? "the server refused it."} Your amounts are kept in this browser.`);
  }

  failed(why) {
    this.tries += 1;
    this.say(`Not saved: ${why}`);
    this.later(Math.min(seconds("retry", 2000) * 2 ** (this.tries - 1), 60_000));
  }

  stored(told, sent) {
    this.tries = 0;
    for (const each of told.cells) {
      const cell = this.cells.get(each.place);
      if (each.outcome === "stored" || each.outcome === "stands") {
        cell.stand(each.number, BigInt(each.cents));
        if (each.outcome === "stands" && cell.input.value === sent.get(each.place)) cell.text = cell.input.value = each.cents ? plain(cell.stored, cell.stored % 100n === 0n) : "";
      } else if (each.outcome === "contested") this.contested(cell, each);
      else this.say(`Not saved: ${cell.name}: ${each.said ?? "this cell is not yours to write."}`);
    }
    this.add();
    if (this.dirty.some((cell) => cell.read.cents !== null)) this.later(seconds("pause", 600));
    else if (!this.state.textContent.startsWith("Not saved:")) this.say(`Saved ${told.saved_at}`, true);
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.look(), seconds("look", 1000));
  }

  contested(cell, told) {
    cell.isContested = true;
    cell.mark(true);
    this.say(`Not saved: ${cell.name}`);
    const mine = cell.input.value || "nothing";
    const settle = (isMine) => () => {
      cell.isContested = false;
      cell.stand(told.number, BigInt(told.cents));
      if (!isMine) cell.input.value = plain(cell.stored);
      this.commit([cell]);
      cell.input.focus();
    };
    this.note(`${cell.name}: ${told.said ?? "It was changed meanwhile."} You typed ${mine}.`, [], [["Keep mine", settle(true)], ["Take what is stored", settle(false)]]);
  }

  // The rules as the server sees them now, and whether it adds up to the same.
  async look() {
    if (this.busy || this.dirty.length) return;
    let told;
    try {
      const answer = await fetch(root.dataset.findingsAt, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      told = await answer.json();
    } catch {
      return;
    }
    if (this.busy || this.dirty.length) return;
    document.querySelector("[data-findings]").innerHTML = told.findings;
    const broken = document.querySelector("[data-broken]");
    if (broken) broken.innerHTML = told.broken;
    for (const cell of this.cells.values()) cell.mark(told.places.includes(cell.place));
    const agrees = BigInt(told.total) === this.total && BigInt(told.requested) === this.requested;
    root.dataset.agrees = agrees ? "yes" : "no";
    if (!agrees) this.note("Amounts of this budget were changed elsewhere. Reload the page to see all of them.");
  }

  // --- kept in this browser until it is stored ---------------------------------------------------------------------------

  keep() {
    const open = [...this.cells.values()].filter((cell) => cell.isDirty).map((cell) => [cell.place, cell.input.value]);
    try {
      if (open.length) localStorage.setItem(this.unsent, JSON.stringify({ at: Date.now(), cells: open }));
      else localStorage.removeItem(this.unsent);
    } catch {
      return;
    }
  }

  offerWhatWasLeft() {
    const prefix = this.unsent.slice(0, this.unsent.lastIndexOf("|") + 1);
    try {
      for (const key of Object.keys(localStorage).filter((each) => each.startsWith(prefix))) {
        const entry = JSON.parse(localStorage.getItem(key));
        const left = entry.cells.filter(([place, text]) => this.cells.has(place) && this.cells.get(place).input.value !== text);
        const forget = () => localStorage.removeItem(key);
        if (!left.length) forget();
        else {
          const put = () => {
            for (const [place, text] of left) this.cells.get(place).input.value = text;
            forget();
            this.commit(left.map(([place]) => this.cells.get(place)));
          };
          const list = left.slice(0, 8).map(([place, text]) => ({ cell: this.cells.get(place), text: `${this.cells.get(place).name}: ${text || "nothing"}` }));
          this.note(`${left.length} ${left.length === 1 ? "amount" : "amounts"} you typed on ${onClock(entry.at, { day: "numeric", month: "long" })} ${left.length === 1 ? "was" : "were"} not saved.`, list, [["Put them in", put], ["Forget them", forget]]);
        }
      }
    } catch {
      return;
    }
  }
}

async function post(address, pairs) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), seconds("patience", 15_000));
  try {
    return await fetch(address, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token?.value ?? "" },
      body: new URLSearchParams(pairs),
      signal: stop.signal,
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

function start() {
  const grid = new Grid();
  let isSent = false;
  const retry = () => grid.tries && grid.save();
  addEventListener("online", retry);
  addEventListener("focus", retry);
  document.addEventListener("visibilitychange", () => document.hidden && grid.save());
  addEventListener("beforeunload", (told) => {
    if (!isSent && (grid.busy || grid.dirty.length)) told.preventDefault();
  });
  // The button saves the table as a whole; what is on its way is waited for, so that nobody competes with oneself.
  form.addEventListener("submit", async (told) => {
    if (isSent) return;
    told.preventDefault();
    grid.commitLeft();
    await Promise.race([grid.busy, new Promise((go) => { setTimeout(go, 4000); })]);
    // A form takes no second order while it still tells of the first: where nothing was on its way, nothing would be sent.
    await new Promise((go) => { setTimeout(go); });
    const shown = Object.fromEntries([...grid.cells.values()].filter((cell) => cell.number).map((cell) => [cell.place, [cell.number, Number(cell.stored)]]));
    form.elements.shown.value = JSON.stringify({ ...JSON.parse(form.elements.shown.value || "{}"), ...shown });
    isSent = true;
    form.requestSubmit(told.submitter);
  });
  addEventListener("pageshow", () => { isSent = false; });
}

if (root && form) start();
