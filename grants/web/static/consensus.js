// Words of an evaluator go into the field of the consensus where they stand, after what is typed there; writing.js saves them.
// Without it the same button sends the form, and the page comes back with the words in the field.
const form = document.getElementById("consensus-form");
const lineOf = (name) => form.querySelector(`[data-borrowed="${CSS.escape(name)}"]`);

function insert(event) {
  const button = event.target.closest?.("button[data-words]");
  const field = button && form.elements[button.dataset.into];
  if (!field) return;
  event.preventDefault();
  const before = field.value.trimEnd();
  field.value = before ? `${before}\n\n${button.dataset.words}` : button.dataset.words;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const line = lineOf(button.dataset.into);
  if (line) line.textContent = `The words of ${button.dataset.of} are in the field. Their name stays on this page and is not in the text.`;
}

// After a save it is a draft, and the server says whose sentences stand and what the rule still asks for.
function told(event) {
  document.querySelector("[data-unbegun]")?.remove();
  document.querySelector("[data-begun]")?.removeAttribute("hidden");
  const { borrowed, lacking } = event.detail;
  const line = lineOf(event.target.dataset.question);
  if (line && typeof borrowed === "string") line.textContent = borrowed;
  for (const needs of lacking ? form.querySelectorAll("[data-needs]") : []) {
    const words = lacking[needs.dataset.needs] ?? "";
    if (needs.textContent !== words) needs.textContent = words;
  }
}

// What the score that is chosen means, below its scale; without this line it is told once the page is saved.
function mean(event) {
  const scale = event.target.closest?.(".pg-scale");
  const words = scale ? event.target.title : [...(event.target.selectedOptions ?? [])][0]?.title;
  if (words === undefined) return;
  const place = scale ?? event.target;
  let line = place.nextElementSibling;
  if (!line?.classList.contains("pg-anchor")) {
    line = document.createElement("p");
    line.className = "pg-anchor";
    place.after(line);
  }
  line.setAttribute("role", "status");
  line.textContent = words;
  line.hidden = !words;
}

form.addEventListener("change", mean);
form.addEventListener("click", insert);
form.addEventListener("stored", told);
