// What is pasted from a word processor keeps its paragraphs, lists and bold words as the small markup of long answers, and
// nothing else. Without a script the browser pastes the words alone.
const BLOCKS = new Set(["P", "DIV", "LI", "UL", "OL", "TABLE", "TR", "H1", "H2", "H3", "H4", "H5", "H6", "BLOCKQUOTE", "SECTION", "ARTICLE"]);
const DROPPED = new Set(["STYLE", "SCRIPT", "TITLE", "META", "LINK", "XML", "TEMPLATE"]);
const style = (node) => node.getAttribute?.("style") ?? "";
const isMark = (node) => /mso-list:\s*ignore/i.test(style(node));
const isBold = (node) => {
  const weight = /font-weight:\s*([a-z0-9]+)/i.exec(style(node))?.[1];
  if (weight) return weight === "bold" || weight === "bolder" || Number(weight) >= 600;
  return node.nodeName === "B" || node.nodeName === "STRONG";
};

// Spaces stay outside the stars, and each line is bold for itself.
const starred = (text) => text.split("\n").map((line) => line.replace(/^(\s*)(\S(?:.*\S)?)(\s*)$/, "$1**$2**$3")).join("\n");

function words(node, bold = false) {
  if (node.nodeType === Node.TEXT_NODE) {
    const text = node.data.replace(/[\s\u00a0]+/g, " ");
    return bold ? starred(text) : text;
  }
  if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.nodeName) || isMark(node)) return "";
  if (node.nodeName === "BR") return "\n";
  const isHeavy = node.nodeName === "B" && /font-weight:\s*normal/i.test(style(node)) ? false : bold || isBold(node);
  return [...node.childNodes].map((child) => words(child, isHeavy)).join("");
}

// Every stretch of words that stands for itself, with the mark of its list.
function* stretches(node, list = null) {
  let inline = "";
  const flush = () => {
    const text = inline.replace(/ *\n */g, "\n").trim();
    inline = "";
    return text;
  };
  for (const child of node.childNodes) {
    if (DROPPED.has(child.nodeName)) continue;
    if (child.nodeType === Node.ELEMENT_NODE && (BLOCKS.has(child.nodeName) || child.querySelector?.([...BLOCKS].join(",")))) {
      const before = flush();
      if (before) yield { text: before, mark: list?.mark() ?? "" };
      yield* inside(child, list);
    } else inline += words(child, isBold(node) && node.nodeName !== "BODY");
  }
  const rest = flush();
  if (rest) yield { text: rest, mark: list?.mark() ?? "" };
}

function* inside(node, list) {
  if (node.nodeName === "UL") yield* stretches(node, { mark: () => "- " });
  else if (node.nodeName === "OL") {
    let number = 0;
    yield* stretches(node, { mark: () => `${(number += 1)}. ` });
  } else if (/mso-list:\s*l\d/i.test(style(node))) {
    const said = [...node.querySelectorAll("*")].find(isMark)?.textContent.trim() ?? "";
    const number = /^\d+/.exec(said)?.[0];
    yield* stretches(node, { mark: () => (number ? `${number}. ` : "- ") });
  } else yield* stretches(node, list);
}

export function markup(html) {
  let made = "";
  let last = "";
  for (const { text, mark } of stretches(new DOMParser().parseFromString(html, "text/html").body)) {
    const line = mark ? mark + text.replace(/\n+/g, " ") : text;
    const joined = line.replaceAll("****", "");
    if (made) made += mark && last ? "\n" : "\n\n";
    made += joined;
    last = mark;
  }
  return made;
}

for (const field of document.querySelectorAll("[data-question] textarea")) {
  field.addEventListener("paste", (told) => {
    const html = told.clipboardData?.getData("text/html");
    const text = html ? markup(html) : "";
    if (!text) return;
    told.preventDefault();
    field.focus();
    // So that it can be undone; where the browser does not know it, the words are put in all the same.
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
}
