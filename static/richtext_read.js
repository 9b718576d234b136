// @ts-check
/* What static/richtext.js keeps of HTML that is pasted, dropped or stored: as the server will, which judges again
 * (cpro/core/richtext/reader.py). */

/** @type {Record<string, string>} */
const kept = {
  ...{ B: "strong", STRONG: "strong", I: "em", EM: "em", SUP: "sup", SUB: "sub" },
  ...{ UL: "ul", OL: "ol", LI: "li", BR: "br", A: "a" },
};
const paragraphs = new Set(
  ("P DIV H1 H2 H3 H4 H5 H6 BLOCKQUOTE PRE HR CENTER ADDRESS ARTICLE ASIDE DETAILS DD DL DT FIGCAPTION FIGURE FIELDSET " +
    "FOOTER FORM HEADER HGROUP LEGEND MAIN NAV OPTGROUP OPTION SEARCH SECTION SUMMARY CAPTION TD TH").split(" "),
);
const inline = new Set("SPAN FONT B STRONG I EM SUP SUB".split(" "));
const unread = new Set("SCRIPT STYLE TEMPLATE TITLE IFRAME OBJECT SVG MATH NOSCRIPT TEXTAREA".split(" "));
/** @type {Record<string, string>} */
const leftOut = {
  ...{ IMG: "image non reprise", SVG: "image non reprise", CANVAS: "image non reprise", MATH: "formule non reprise" },
  ...{ VIDEO: "vidéo non reprise", AUDIO: "son non repris", IFRAME: "document non repris", OBJECT: "document non repris" },
};
/** Numbers of lists. @type {Record<string, string[]>} */
const numbers = { OL: ["start", "type"], LI: ["value"] };
export const safeAddress = /^(https?:\/\/|mailto:)\S+$/i;
const longestDescription = 80;

/**
 * Copy into `target` what the server would keep of `source`.
 * @template {ParentNode} Target
 * @param {Node} source
 * @param {Target} target
 * @param {(text: string, parent: ParentNode) => void} [append] how words are put
 * @returns {Target}
 */
export function copyKept(source, target, append = (text, parent) => parent.append(text)) {
  for (const node of source.childNodes) {
    if (node instanceof Text) append(node.data, target);
    else if (node instanceof Element) copyElement(node, target, append);
  }
  return target;
}

/**
 * @param {Element} node
 * @param {ParentNode} target
 * @param {(text: string, parent: ParentNode) => void} append
 */
function copyElement(node, target, append) {
  const name = node.nodeName.toUpperCase();
  if (name in leftOut) target.append(described(node, name));
  if (unread.has(name)) return;
  if (name === "TR") {
    copyRow(node, target, append);
    return;
  }
  /** @type {ParentNode} */
  let place = target;
  for (const tag of tagsOf(node, name)) {
    const copy = document.createElement(tag);
    if (tag === "a") copy.setAttribute("href", node.getAttribute("href") ?? "");
    for (const each of numbers[name] ?? []) {
      const value = node.getAttribute(each);
      if (value) copy.setAttribute(each, value);
    }
    place.append(copy);
    place = copy;
  }
  copyKept(node, place, name === "PRE" ? appendLines : append);
}

/**
 * Return the tags that an element becomes: its style counts more than its name.
 * @param {Element} node
 * @param {string} name
 * @returns {string[]}
 */
function tagsOf(node, name) {
  if (paragraphs.has(name)) return ["p"];
  const tag = kept[name] ?? "";
  if (tag === "a" && !safeAddress.test(node.getAttribute("href") ?? "")) return [];
  if (!inline.has(name)) return tag ? [tag] : [];
  const { weight, slant, script } = styleOf(node);
  const isBold = weight ? /^(bold|[6-9]\d\d$)/.test(weight) : tag === "strong";
  const isItalic = slant ? /^(italic|oblique)/.test(slant) : tag === "em";
  const raised = script || (tag.startsWith("su") ? tag : "");
  return [isBold ? "strong" : "", isItalic ? "em" : "", raised].filter(Boolean);
}

/** @param {Element} node */
function styleOf(node) {
  const style = node.getAttribute("data-style")?.toLowerCase() ?? "";
  /** @param {RegExp} pattern */
  const value = (pattern) => pattern.exec(style)?.[1] ?? "";
  return {
    weight: value(/font-weight:\s*(\w+)/),
    slant: value(/font-style:\s*(\w+)/),
    script: value(/vertical-align:\s*(super|sub)\b/).replace("super", "sup"),
  };
}

/**
 * Put the cells of a row on one line, or one after another when they hold more than a line.
 * @param {Element} row
 * @param {ParentNode} target
 * @param {(text: string, parent: ParentNode) => void} append
 */
function copyRow(row, target, append) {
  const cells = [...row.children].map((cell) => copyKept(cell, document.createElement("div"), append));
  while (cells.length && !cells[cells.length - 1].textContent?.trim()) cells.pop();
  const isLine = cells.every((cell) => cell.querySelectorAll("p").length < 2 && !cell.querySelector("br, ul, ol"));
  const line = document.createElement("p");
  for (const [number, cell] of cells.entries()) {
    const inside = cell.children.length === 1 && cell.firstElementChild?.nodeName === "P" ? cell.firstElementChild : cell;
    if (!isLine) {
      const paragraph = document.createElement("p");
      paragraph.append(...cell.childNodes);
      target.append(...(paragraph.querySelector("p, ul, ol") ? paragraph.childNodes : [paragraph]));
    } else line.append(...(number ? [" — "] : []), ...inside.childNodes);
  }
  if (isLine && cells.length) target.append(line);
}

/**
 * Return the word that stands for what is no text, or the sign that a small picture draws.
 * @param {Element} node
 * @param {string} name
 */
function described(node, name) {
  const isUnseen = ["width", "height"].some((side) => ["0", "1"].includes(node.getAttribute(side) ?? ""));
  if (isUnseen || node.getAttribute("aria-hidden") === "true") return "";
  let words = name === "IMG" ? (node.getAttribute("alt") ?? "").split(/\s+/).join(" ").trim() : "";
  if (words && words.length <= 4 && !/[\p{L}\p{N}\s]/u.test(words)) return words;
  if (words.length > longestDescription) words = `${words.slice(0, longestDescription - 1)}…`;
  return words ? `[${leftOut[name]}\u202f: ${words}]` : `[${leftOut[name]}]`;
}

/**
 * Put words whose line breaks count.
 * @param {string} text
 * @param {ParentNode} parent
 */
function appendLines(text, parent) {
  for (const [number, line] of text.split("\n").entries()) parent.append(...(number ? [document.createElement("br")] : []), line);
}

/**
 * Put words of a page, whose line breaks are blanks.
 * @param {string} text
 * @param {ParentNode} parent
 */
function appendBlanks(text, parent) {
  parent.append(text.replace(/[ \t\r\n\f]+/g, " "));
}

/* Attributes go before the browser reads them, save those that are read here: the page's policy would report styles and
 * handlers. A style is read under another name. */
const attribute = /\s+([^\s"'<>/=]+)(\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?/g;
const readAttributes = new Set("href start value type alt width height aria-hidden".split(" "));
const tagOpened = /<[a-z](?:[^"'>]|"[^"]*"|'[^']*')*>/gi;

/**
 * @param {string} written
 * @param {string} name
 * @param {string} [value]
 */
function readAttribute(written, name, value = "") {
  if (name.toLowerCase() === "style") return ` data-style${value}`;
  return readAttributes.has(name.toLowerCase()) ? written : "";
}

/**
 * Return the content of HTML that is kept; in the editor a line break of the source is one, in a page it is a blank.
 * @param {string} html
 * @param {"editor" | "page"} from
 */
export function cleaned(html, from) {
  const holder = document.createElement("template"); // its content is inert: nothing in it runs or loads
  holder.innerHTML = html
    .replace(/<(style|script)\b[^]*?<\/\1\s*>/gi, "")
    .replace(tagOpened, (tag) => tag.replace(attribute, readAttribute));
  return copyKept(holder.content, document.createElement("div"), from === "page" ? appendBlanks : appendLines);
}

/**
 * What somebody typed before this script ran becomes paragraphs.
 * @param {string} text
 */
export function fromPlainText(text) {
  const holder = document.createElement("div");
  for (const part of text.split(/\n\s*\n/)) {
    const paragraph = document.createElement("p");
    appendLines(part, paragraph);
    holder.append(paragraph);
  }
  return holder;
}
