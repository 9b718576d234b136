// @ts-check
/* The grid of a division (form[data-grid]): digits set a level and go down, arrows move, each level is saved as typed.
 *
 * Without this script, the form sends the whole grid. What is sent here is the same post with the changed cells alone;
 * the answer, in JSON, says what is stored in them and what colleagues gave meanwhile. */

const gridPause = 700; // after the last key: a column typed quickly is one request
const gridRetry = 4000;
/* Loaded again by the browser's button, a page may have been read before what it overtook was stored: it looks twice. */
const gridLooks = [1500, 5000];
const gridEnded =
  "Votre session a pris fin ou a changé\u202f: ce que vous tapez n’est plus enregistré. Validez pour vous connecter " +
  "à nouveau, votre saisie sera gardée.";
const gridSaving = "Enregistrement…";
const gridLater = "Pas encore enregistré\u202f: nouvel essai dans un instant.";

/** @typedef {{message: string, seen?: number, stored?: Record<string, string>, errors?: Record<string, string>,
 *   news?: Record<string, {last: string, sentence: string}>}} GridAnswer */

class GridKeeper {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.state = /** @type {HTMLElement} */ (form.querySelector("[data-grid-state]"));
    this.day = this.field("evaluated_on").value;
    /** @type {HTMLInputElement[][]} */
    this.lines = [...form.querySelectorAll("tbody tr")].map((line) => [
      .../** @type {NodeListOf<HTMLInputElement>} */ (line.querySelectorAll(".grid-level")),
    ]);
    this.titles = form.querySelectorAll("thead th");
    /** @type {Map<string, string>} */
    this.shown = new Map(); // what is stored, by cell, as this page knows it
    for (const pair of this.field("shown").value.split(" ")) {
      const [cell, level] = pair.split(":");
      if (level) this.shown.set(`niveau-${cell}`, level);
    }
    /** @type {Set<HTMLInputElement>} */
    this.waiting = new Set();
    /** @type {HTMLInputElement[]} */
    this.filled = []; // the cells that the last « Même niveau pour tous » filled
    this.filledWith = "";
    this.undo = /** @type {HTMLButtonElement} */ (form.querySelector("[data-grid-undo]"));
    this.isSending = false;
    this.isStopped = false;
    this.isLeaving = false;
    this.timer = 0;
    /** @type {HTMLElement} */ (form.querySelector("[data-grid-keys]")).hidden = false;

    form.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("keydown", (event) => this.pressedAnywhere(event));
    form.addEventListener("input", (event) => this.typed(/** @type {HTMLInputElement} */ (event.target)));
    form.addEventListener("focusin", (event) => {
      if (this.isCell(event.target)) this.focused(/** @type {HTMLInputElement} */ (event.target));
    });
    form.addEventListener("change", (event) => {
      if (event.target === this.field("evaluated_on")) this.changeDay();
    });
    this.undo.addEventListener("click", () => this.empty());
    form.addEventListener("submit", () => this.leave());
    addEventListener("pagehide", () => this.flush());
    addEventListener("beforeunload", (event) => {
      if (this.waiting.size === 0 || this.isLeaving) return;
      this.flush();
      if (this.isStopped) event.preventDefault();
    });
    for (const cell of this.lines.slice(1).flat()) {
      if (cell.value !== this.known(cell)) this.waiting.add(cell); // it comes back after a refusal or a sign-in
    }
    const [arrival] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
    if (arrival?.type === "reload") for (const pause of gridLooks) setTimeout(() => this.look(), pause);
  }

  /**
   * @param {string} name
   * @returns {HTMLInputElement}
   */
  field(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }

  /** @param {EventTarget | null} target */
  isCell(target) {
    return target instanceof HTMLInputElement && target.classList.contains("grid-level");
  }

  /** @param {HTMLInputElement} cell */
  focused(cell) {
    cell.select();
    const frame = cell.closest(".table-frame"); // browsers put what takes the focus at their middle: headings went
    if (frame && frame.clientHeight < innerHeight) frame.scrollIntoView({ block: "nearest" });
    const title = this.titles[this.lineOf(cell).indexOf(cell) + 1].getAttribute("aria-label");
    /** @type {HTMLElement} */ (this.form.querySelector("[data-grid-competence]")).textContent = title;
  }

  /** @param {HTMLInputElement} cell */
  known(cell) {
    return this.shown.get(cell.name) ?? "";
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (!this.isCell(event.target)) return;
    const cell = /** @type {HTMLInputElement} */ (event.target);
    const isForAll = cell.name.startsWith("tous-");
    if (isForAll && this.isUndo(event)) {
      event.preventDefault();
      this.empty();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [1, 0],
    };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      this.move(cell, ...move);
    } else if (/^[1-4]$/.test(event.key)) {
      event.preventDefault();
      cell.value = event.key;
      this.typed(cell);
      if (!isForAll) this.move(cell, 1, 0);
    } else if (event.key === "Delete") {
      event.preventDefault();
      cell.value = "";
      this.typed(cell);
    } else if (event.key.length === 1) {
      event.preventDefault();
      if (!this.isStopped) this.show(`«\u202f${event.key}\u202f» n’est pas un niveau\u202f: tapez de 1 à 4.`, "blocked");
    }
  }

  /**
   * F5 and Ctrl+R wait until what was typed is stored.
   * @param {KeyboardEvent} event
   */
  pressedAnywhere(event) {
    const asksAgain = event.key === "F5" || (event.key.toLowerCase() === "r" && (event.ctrlKey || event.metaKey));
    if (!asksAgain || this.waiting.size === 0 || this.isStopped) return;
    event.preventDefault();
    this.reload();
  }

  /** @param {KeyboardEvent} event */
  isUndo(event) {
    return event.key === "Delete" || (event.key === "z" && (event.ctrlKey || event.metaKey));
  }

  /** @param {HTMLInputElement} cell */
  lineOf(cell) {
    return this.lines.find((line) => line.includes(cell)) ?? [];
  }

  /**
   * @param {HTMLInputElement} cell
   * @param {number} down
   * @param {number} right
   */
  move(cell, down, right) {
    const line = this.lineOf(cell);
    this.lines[this.lines.indexOf(line) + down]?.[line.indexOf(cell) + right]?.focus();
  }

  /** @param {HTMLInputElement} cell */
  typed(cell) {
    if (!this.isCell(cell)) return;
    if (cell.name.startsWith("tous-")) {
      this.fillColumn(cell);
      return;
    }
    this.explain(cell, "");
    if (cell.value === this.known(cell)) this.waiting.delete(cell);
    else this.waiting.add(cell);
    if (!this.isStopped) this.show(this.waiting.size > 0 ? gridSaving : "");
    this.plan(gridPause);
  }

  /** @param {HTMLInputElement} all */
  fillColumn(all) {
    const place = this.lineOf(all).indexOf(all);
    const level = all.value;
    if (!/^[1-4]$/.test(level)) return;
    const blank = this.lines.slice(1).map((line) => line[place]).filter((cell) => !cell.value);
    this.giveAll(blank, level);
    all.value = "";
    if (blank.length === 0) return;
    this.filled = blank;
    this.filledWith = level;
    this.undo.textContent = `Annuler le ${level} pour tous en ${all.closest("td")?.dataset.code}`;
    this.undo.hidden = false;
  }

  /** Empty the cells that were filled at once; a level that was changed since stays. */
  empty() {
    if (this.filled.length === 0) return;
    const place = this.lineOf(this.filled[0]).indexOf(this.filled[0]);
    this.giveAll(this.filled.filter((cell) => cell.value === this.filledWith), "");
    this.filled = [];
    this.lines[0][place].focus(); // the button that had the focus goes
    this.undo.hidden = true;
  }

  /**
   * @param {HTMLInputElement[]} cells
   * @param {string} level
   */
  giveAll(cells, level) {
    for (const cell of cells) {
      cell.value = level;
      this.typed(cell);
    }
  }

  /** @param {number} delay */
  plan(delay) {
    clearTimeout(this.timer);
    if (!this.isStopped && this.waiting.size > 0) this.timer = window.setTimeout(() => this.save(), delay);
  }

  leave() {
    this.isLeaving = true;
    clearTimeout(this.timer);
  }

  flush() {
    if (this.waiting.size > 0 && !this.isStopped && !this.isLeaving) this.save(true);
  }

  /** Read the page again and show what is stored in the cells that nobody touched here. */
  async look() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok || this.isSending) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const cell of this.lines.slice(1).flat()) {
        const stored = fresh.querySelector(`[name="${cell.name}"]`);
        if (!(stored instanceof HTMLInputElement) || this.waiting.has(cell) || stored.value === cell.value) continue;
        cell.value = stored.value;
        this.shown.set(cell.name, stored.value);
      }
      this.writeShown();
    } catch {
      /* The server is away or the sign-in has ended: the next level that is typed says so. */
    }
  }

  /** Return the cells to send: those that differ from what is stored, and were not refused as they stand. */
  sendable() {
    return [...this.waiting].filter((cell) => !cell.hasAttribute("aria-invalid"));
  }

  /** Save what waits, after what is on its way. */
  async settle() {
    clearTimeout(this.timer);
    while (this.isSending) await new Promise((resolve) => setTimeout(resolve, 100));
    if (this.waiting.size > 0) await this.save();
  }

  /** Load the page again once what was typed is stored; what cannot be stays here, with the sentence that says why. */
  async reload() {
    await this.settle();
    if (this.waiting.size === 0) location.reload();
  }

  async changeDay() {
    await this.settle();
    if (this.waiting.size > 0 || !this.field("evaluated_on").value) return;
    this.leave();
    const page = new URL(this.form.action);
    page.searchParams.set("jour", this.field("evaluated_on").value);
    if (this.field("scenario").value) page.searchParams.set("scenario", this.field("scenario").value);
    location.assign(page);
  }

  async save(atOnce = false) {
    clearTimeout(this.timer);
    if (this.isSending && !atOnce) return; // what waits is sent after the answer
    const cells = this.sendable();
    if (cells.length === 0) return;
    const sent = new Map(cells.map((cell) => [cell, cell.value]));
    const body = new FormData();
    for (const name of ["csrf_token", "scenario", "seen"]) body.set(name, this.field(name).value);
    body.set("evaluated_on", this.day);
    for (const [cell, level] of sent) body.set(cell.name, level);
    const shown = cells.filter((cell) => this.known(cell));
    body.set("shown", shown.map((cell) => `${cell.name.slice("niveau-".length)}:${this.known(cell)}`).join(" "));
    this.isSending = true;
    try {
      const answer = await fetch(this.form.action, {
        method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual", keepalive: atOnce,
      });
      const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
      this.hear(answer, isJson ? await answer.json() : { message: "" }, sent);
    } catch {
      this.retry();
    } finally {
      this.isSending = false;
      this.plan(this.state.dataset.level === "warning" ? gridRetry : gridPause);
    }
  }

  /**
   * @param {Response} answer
   * @param {GridAnswer} said
   * @param {Map<HTMLInputElement, string>} sent
   */
  hear(answer, said, sent) {
    if (answer.status >= 500 || answer.status === 429) {
      this.retry(said.message);
      return;
    }
    if (!said.stored) {
      this.isStopped = true;
      this.show(said.message || gridEnded, "blocked");
      return;
    }
    this.learn(said, sent);
    const sentences = this.showNews(said.news ?? {});
    const errors = Object.entries(said.errors ?? {});
    for (const [name, sentence] of errors) {
      const cell = /** @type {HTMLInputElement | null} */ (this.form.elements.namedItem(name));
      if (cell && this.isCell(cell)) this.explain(cell, sentence);
      sentences.push(sentence);
    }
    if (errors.length > 0) this.show(sentences.join(" "), "blocked");
    else this.show([said.message, ...sentences].join(" "));
  }

  /**
   * Know what is stored from now on; the form, if it is sent, compares with that.
   * @param {GridAnswer} said
   * @param {Map<HTMLInputElement, string>} sent
   */
  learn(said, sent) {
    for (const [name, level] of Object.entries(said.stored ?? {})) this.shown.set(name, level);
    for (const cell of sent.keys()) {
      if (cell.value === this.known(cell)) this.waiting.delete(cell);
    }
    if (said.seen) this.field("seen").value = String(said.seen);
    this.writeShown();
  }

  /** Say in the form what is stored, as this page knows it. */
  writeShown() {
    const levels = [...this.shown].filter(([, level]) => level);
    this.field("shown").value = levels.map(([name, level]) => `${name.slice("niveau-".length)}:${level}`).join(" ");
  }

  /**
   * Show what colleagues gave meanwhile; return the sentences about it.
   * @param {Record<string, {last: string, sentence: string}>} news
   */
  showNews(news) {
    return Object.entries(news).map(([name, { last, sentence }]) => {
      const cell = this.field(name);
      document.getElementById(`${name}-dernier`)?.lastChild?.replaceWith(last);
      return `${cell?.getAttribute("aria-label") ?? ""}\u202f: ${sentence}`;
    });
  }

  /**
   * Say why a level is not saved, below its cell; typed again, it is sent again.
   * @param {HTMLInputElement} cell
   * @param {string} sentence
   */
  explain(cell, sentence) {
    const id = `${cell.name}-erreur`;
    const last = document.getElementById(`${cell.name}-dernier`)?.id ?? "";
    document.getElementById(id)?.remove();
    cell.toggleAttribute("aria-invalid", false);
    cell.classList.toggle("is-invalid", sentence !== "");
    if (sentence) {
      const place = document.createElement("span");
      place.className = "grid-error";
      place.id = id;
      place.textContent = sentence;
      cell.parentElement?.append(place);
      cell.setAttribute("aria-invalid", "true");
    }
    const described = `${last} ${sentence ? id : ""}`.trim();
    if (described) cell.setAttribute("aria-describedby", described);
    else cell.removeAttribute("aria-describedby");
  }

  retry(message = gridLater) {
    this.show(message || gridLater, "warning");
  }

  /** @param {string} words */
  show(words, level = "") {
    this.state.dataset.level = level;
    if (this.state.textContent !== words) this.state.textContent = words;
  }
}

/** @type {NodeListOf<HTMLFormElement>} */
const grids = document.querySelectorAll("form[data-grid]");
for (const form of grids) new GridKeeper(form);
