// Sends chosen files one by one with their progress beside them. The page works without it by its buttons alone, and the
// server decides about every file either way.
const megabytes = (bytes) => `${Number((bytes / 1_000_000).toPrecision(3))} MB`;
const NO_CONNECTION = "The connection was lost, and nothing of it was stored. Choose the file again.";

// What needs no way to the server to be known.
const refusedHere = (input, form, file) => {
  const most = Number(form.dataset.bytesMax);
  if (!file.size) return `“${file.name}” is empty. Choose the file again.`;
  if (file.size > most) return `“${file.name}” has ${megabytes(file.size)}; the limit here is ${megabytes(most)}. Make it smaller, or split it.`;
  const endings = input.accept.split(",");
  if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) return `“${file.name}” has another type than can be taken here: ${endings.join(", ")}. Save it as one of these.`;
  return "";
};

const line = (list, file) => {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = file.name;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  const state = document.createElement("span");
  state.textContent = "Waits";
  item.append(name, bar, state);
  list.append(item);
  return {
    on(share) {
      bar.value = share;
      state.textContent = share < 1 ? `${Math.round(share * 100)} %` : "Is looked at";
    },
    attached() {
      bar.value = 1;
      state.textContent = "Attached";
    },
    refused(sentence) {
      bar.remove();
      state.textContent = sentence;
      state.className = "late";
    },
  };
};

const send = (form, file, number, on) =>
  new Promise((resolve) => {
    const data = new FormData(form);
    data.set("file", file);
    // Each file is a deed of its own; the same one sent again has its own key again.
    data.set("act_key", `${data.get("act_key")}-${number}`.slice(-100));
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (told) => told.lengthComputable && on(told.loaded / told.total));
    request.addEventListener("load", () => {
      let found = {};
      try {
        found = JSON.parse(request.responseText);
      } catch {
        found = {};
      }
      resolve(request.status < 300 ? "" : found.problem ?? "This could not be stored. Try again in a moment.");
    });
    for (const lost of ["error", "abort", "timeout"]) request.addEventListener(lost, () => resolve(NO_CONNECTION));
    request.send(data);
  });

for (const form of document.querySelectorAll("[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  const list = document.createElement("ul");
  list.className = "pg-uploads";
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  form.append(said, list);
  let number = 0;
  let isBusy = false;
  form.addEventListener("submit", async (event) => {
    if (isBusy || !input.files.length) {
      if (isBusy) event.preventDefault();
      return;
    }
    event.preventDefault();
    isBusy = true;
    const chosen = [...input.files];
    list.replaceChildren();
    said.textContent = "";
    const lines = chosen.map((file) => line(list, file));
    let refused = 0;
    for (const [place, file] of chosen.entries()) {
      number += 1;
      const sentence = refusedHere(input, form, file) || (await send(form, file, number, lines[place].on));
      if (sentence) {
        refused += 1;
        lines[place].refused(sentence);
      } else lines[place].attached();
    }
    isBusy = false;
    input.value = "";
    if (!refused) {
      location.reload();
      return;
    }
    said.textContent = refused === chosen.length ? "Nothing was attached. " : `${chosen.length - refused} of ${chosen.length} files are attached. `;
    const show = document.createElement("a");
    show.className = "govuk-link";
    show.href = location.pathname;
    show.textContent = "Show all files";
    said.append(show);
  });
}
