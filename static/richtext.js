// @ts-check
/* Rich text fields: each text area of [data-richtext] becomes an editor. Without this script it is typed in as it is.
 *
 * The text area, hidden, always holds what will be posted (HTML, as the hidden field beside it then says). Whatever is
 * pasted or dropped is brought to the few tags that the server keeps; the server judges again. */

import { around, ensureParagraph, holder, put, putLink, removeLink, selectedRange, toggleList, toggleMark } from "./richtext_edit.js";
import { cleaned, copyKept, fromPlainText, safeAddress } from "./richtext_read.js";
import { Steps } from "./richtext_steps.js";

const tools = [
  { command: "strong", label: "Gras", shortcut: "Control+B" },
  { command: "ul", label: "Liste" },
  { command: "ol", label: "Liste numérotée" },
  { command: "link", label: "Lien", shortcut: "Control+K" },
];
/** What a browser would do by itself, by the kind of its event. @type {Record<string, string>} */
const shortcuts = { formatBold: "strong", formatItalic: "em", historyUndo: "undo", historyRedo: "redo" };

/**
 * @param {HTMLTextAreaElement} area
 * @param {HTMLInputElement} format
 * @param {DocumentFragment | undefined} stored
 */
function initialContent(area, format, stored) {
  const isHtml = format.value === "html" || /^<(p|ul|ol)>/.test(area.value); // kept by the browser's « Précédent »
  if (isHtml) return cleaned(area.value, "editor");
  if (stored && area.value === area.defaultValue) return copyKept(stored, document.createElement("div"));
  return fromPlainText(area.value);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} content
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, attributes, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

/**
 * @param {string} label
 * @param {Record<string, string>} attributes
 */
function button(label, attributes = {}) {
  return make("button", { type: "button", class: "btn btn-outline-secondary btn-sm", ...attributes }, label);
}

class Editor {
  /** @param {HTMLElement} field */
  constructor(field) {
    this.area = /** @type {HTMLTextAreaElement} */ (field.querySelector("textarea"));
    this.format = /** @type {HTMLInputElement} */ (field.querySelector("input[type=hidden]"));
    this.label = /** @type {HTMLLabelElement} */ (field.querySelector("label"));
    /** @type {Range | null} */
    this.range = null; // what was selected when the panel of the link opened
    const id = this.area.id;

    this.place = make("div", {
      class: "form-control richtext-editor",
      contenteditable: "true",
      role: "textbox",
      "aria-multiline": "true",
      "aria-labelledby": this.label.id,
      spellcheck: "true",
      tabindex: "0",
    });
    for (const name of ["aria-describedby", "aria-invalid"]) {
      const value = (this.area.getAttribute(name) ?? "").replace(`${id}-saisie`, "").trim();
      if (value) this.place.setAttribute(name, value);
    }
    if (this.area.required) this.place.setAttribute("aria-required", "true");
    this.place.append(...initialContent(this.area, this.format, field.querySelector("template")?.content).childNodes);
    ensureParagraph(this.place);
    this.steps = new Steps(this.place);

    this.tools = this.makeTools();
    this.address = make("input", { class: "form-control", type: "text", inputmode: "url", id: `${id}-lien`, autocomplete: "off" });
    this.linkError = make("p", { class: "field-error", role: "alert" });
    this.linkPanel = this.makeLinkPanel();
    field.querySelector("[data-typing]")?.remove();
    this.fileNotice = make("p", { class: "field-help", role: "status" });
    this.area.before(this.tools, this.linkPanel, this.place, this.fileNotice);
    this.area.hidden = true;
    this.area.required = false;
    this.area.id = `${id}-texte`;
    this.area.removeAttribute("aria-describedby");
    this.label.removeAttribute("for");
    this.place.id = id;
    this.label.addEventListener("click", () => this.place.focus());

    this.place.addEventListener("input", (event) => this.changed(/** @type {InputEvent} */ (event)));
    this.place.addEventListener("paste", (event) => this.paste(event));
    this.place.addEventListener("drop", (event) => this.drop(event));
    this.place.addEventListener("keydown", (event) => this.pressed(event));
    this.place.addEventListener("beforeinput", (event) => {
      const isFormat = event.inputType.startsWith("format"); // what is not ours is not kept: better never shown
      if (isFormat || event.inputType in shortcuts) event.preventDefault();
      if (event.inputType in shortcuts) this.run(shortcuts[event.inputType]);
    });
    document.addEventListener("selectionchange", () => this.showState());
    this.keep();
  }

  makeTools() {
    const buttons = tools.map((tool) => {
      const made = button(tool.label, { "data-command": tool.command, tabindex: "-1" });
      if (tool.shortcut) made.setAttribute("aria-keyshortcuts", tool.shortcut);
      if (tool.command === "link") made.setAttribute("aria-expanded", "false");
      else made.setAttribute("aria-pressed", "false");
      return made;
    });
    buttons[0].tabIndex = 0;
    const words = this.label.firstChild?.textContent?.trim();
    const name = `Mise en forme\u202f: ${words}`;
    const bar = make("div", { class: "richtext-tools", role: "toolbar", "aria-label": name }, ...buttons);
    bar.addEventListener("mousedown", (event) => event.preventDefault()); // the selection stays in the text
    bar.addEventListener("click", (event) => {
      const pressed = /** @type {Element} */ (event.target).closest("button");
      if (pressed?.dataset.command) this.run(pressed.dataset.command);
    });
    bar.addEventListener("keydown", (event) => this.moveAmongTools(event, buttons));
    return bar;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLButtonElement[]} buttons
   */
  moveAmongTools(event, buttons) {
    const here = buttons.findIndex((each) => each === document.activeElement);
    /** @type {Record<string, number>} */
    const moves = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: buttons.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = buttons[(moves[event.key] + buttons.length) % buttons.length];
    for (const each of buttons) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  }

  makeLinkPanel() {
    const apply = button("Mettre le lien");
    const remove = button("Retirer le lien");
    const cancel = button("Annuler");
    apply.addEventListener("click", () => this.applyLink());
    remove.addEventListener("click", () => this.leaveLinkPanel(() => removeLink(this.place)));
    cancel.addEventListener("click", () => this.leaveLinkPanel());
    const panel = make(
      "div",
      { class: "richtext-link" },
      make("label", { for: this.address.id }, "Adresse du lien"),
      this.address,
      this.linkError,
      make("div", { class: "richtext-link-actions" }, apply, remove, cancel),
    );
    panel.hidden = true;
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leaveLinkPanel();
      if (event.key === "Enter" && event.target === this.address) {
        event.preventDefault();
        this.applyLink();
      }
    });
    return panel;
  }

  /** @param {string} command */
  run(command) {
    if (command === "link") {
      this.openLinkPanel();
      return;
    }
    this.place.focus();
    if (command === "undo" || command === "redo") this.steps.go(command === "undo" ? -1 : 1);
    else if (command === "ul" || command === "ol") toggleList(this.place, command);
    else if (command === "strong" || command === "em") toggleMark(this.place, command);
    if (command !== "undo" && command !== "redo") this.steps.record();
    this.keep();
    this.showState();
  }

  openLinkPanel() {
    const selection = getSelection();
    const isInside = selection?.rangeCount && this.place.contains(selection.anchorNode);
    this.range = isInside ? selection.getRangeAt(0).cloneRange() : null;
    const link = isInside ? selection.anchorNode?.parentElement?.closest("a") : null;
    this.address.value = link?.getAttribute("href") ?? "";
    if (link && selection?.isCollapsed) this.range?.selectNodeContents(link);
    this.linkError.textContent = "";
    this.linkPanel.hidden = false;
    this.tools.querySelector("[data-command=link]")?.setAttribute("aria-expanded", "true");
    this.address.focus();
  }

  applyLink() {
    let address = this.address.value.trim();
    if (/^[\w-]+(\.[\w-]+)+([/?#]|$)/.test(address)) address = `https://${address}`;
    if (!safeAddress.test(address)) {
      this.linkError.textContent = "L’adresse doit commencer par https://, http:// ou mailto:, sans espace.";
      this.address.focus();
      return;
    }
    this.leaveLinkPanel(() => putLink(this.place, address));
  }

  /** @param {() => void} [act] what is done to the text that was selected */
  leaveLinkPanel(act) {
    this.linkPanel.hidden = true;
    this.tools.querySelector("[data-command=link]")?.setAttribute("aria-expanded", "false");
    this.place.focus();
    if (this.range) {
      const selection = getSelection();
      selection?.removeAllRanges();
      selection?.addRange(this.range);
    }
    if (!act) return;
    act();
    this.steps.record();
    this.keep();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if ((!event.ctrlKey && !event.metaKey) || event.altKey) return;
    /** @type {Record<string, string>} */
    const commands = { k: "link", z: event.shiftKey ? "redo" : "undo", y: "redo" };
    const command = commands[event.key.toLowerCase()];
    if (!command) return;
    event.preventDefault();
    this.run(command);
  }

  /** @param {ClipboardEvent} event */
  paste(event) {
    event.preventDefault();
    const html = event.clipboardData?.getData("text/html");
    const text = event.clipboardData?.getData("text/plain");
    if (html) put(this.place, cleaned(html, "page"));
    else if (text) put(this.place, fromPlainText(text));
    this.noticeFiles(event.clipboardData, !html && !text);
    if (html || text) this.steps.record();
    this.keep();
  }

  /** @param {DragEvent} event */
  drop(event) {
    const hasFiles = Boolean(event.dataTransfer?.files.length);
    if (hasFiles) event.preventDefault(); // the browser would leave the page to show the file
    this.noticeFiles(event.dataTransfer, hasFiles);
  }

  /**
   * Say that files, pictures most often, have no place in the text.
   * @param {DataTransfer | null} given
   * @param {boolean} isLost
   */
  noticeFiles(given, isLost) {
    this.fileNotice.textContent =
      isLost && given?.files.length ? "Une image ou un fichier ne peut pas être mis dans ce texte\u202f: décrivez-le en mots." : "";
  }

  /** @param {InputEvent} event */
  changed(event) {
    if (event.inputType === "insertFromDrop") this.place.replaceChildren(...cleaned(this.place.innerHTML, "editor").childNodes);
    ensureParagraph(this.place);
    this.steps.record(event.inputType);
    this.keep();
  }

  keep() {
    const isEmpty = !this.place.textContent?.replaceAll(holder, "").trim();
    this.area.value = isEmpty ? "" : cleaned(this.place.innerHTML.replaceAll(holder, ""), "editor").innerHTML;
    this.format.value = "html";
  }

  showState() {
    const range = selectedRange(this.place);
    if (!range) return;
    /** @type {NodeListOf<HTMLElement>} */
    const toggles = this.tools.querySelectorAll("[aria-pressed]");
    for (const each of toggles) {
      each.setAttribute("aria-pressed", String(Boolean(around(this.place, range.startContainer, each.dataset.command ?? ""))));
    }
  }
}

/** @type {NodeListOf<HTMLElement>} */
const fields = document.querySelectorAll("[data-richtext]");
for (const field of fields) new Editor(field);
