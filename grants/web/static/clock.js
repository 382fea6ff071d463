// A moment in words, on the clock of this page, as every other time of it.
globalThis.onClock = (at, parts) => new Date(at).toLocaleString("en-GB", { ...parts, hour: "2-digit", minute: "2-digit", timeZone: document.documentElement.dataset.zone });
