// @ts-check
/* Drafts: what is typed in form[data-draft] is sent to the server a moment after the last key, and when the page is left.
 *
 * Without this script, the button « Enregistrer le brouillon » does it. Nothing is kept in the browser: computers of
 * schools are shared. The form posts to its own address with `brouillon=enregistrer`; the answer, in JSON, is a sentence
 * to show. `draft_turn` counts what was sent, so that a late post never brings an older text back. */

const pause = 2000; // after the last key
const longestWait = 10000; // while somebody types without a pause
const retries = [3000, 6000, 12000, 30000];
const crossing = 700; // what a page sends as it is left, and the request for the same page, may cross
const keepaliveLimit = 60000; // browsers send no more once the page is gone

const ended =
  "Votre session a pris fin ou a changé\u202f: ce que vous écrivez n’est plus enregistré. " +
  "Votre texte reste sur cette page\u202f; validez-le pour vous connecter à nouveau.";
const refused =
  "Le brouillon ne peut plus être enregistré. Votre texte reste sur cette page\u202f: copiez-le avant de la quitter.";
const later = "Le brouillon n’est pas encore enregistré\u202f: nouvel essai dans un instant.";

const marks = "form[data-draft] [name=draft_of]";

/**
 * Which draft fills the form of a page, and in which state.
 * @param {Document} root
 * @returns {string | undefined}
 */
function markOf(root) {
  return /** @type {HTMLInputElement | null} */ (root.querySelector(marks))?.value;
}

class Keeper {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.state = /** @type {HTMLElement} */ (form.querySelector("[data-draft-state]"));
    this.turn = /** @type {HTMLInputElement} */ (form.querySelector("[name=draft_turn]"));
    this.isUnsaved = form.dataset.draft === "unsaved"; // it was posted and comes back: the server may know less
    this.isStopped = false; // nothing more is sent: the session has ended, or the text is refused
    this.isLeaving = false; // the form itself is being sent
    this.isSending = false;
    this.isLong = false; // more than a browser sends once the page is gone
    this.timer = 0;
    this.failures = 0;
    this.since = 0;
    /** @type {HTMLElement} */ (form.querySelector("[data-draft-button]")).hidden = true; // it is done without being asked

    form.addEventListener("input", () => this.typed());
    form.addEventListener("change", () => this.typed());
    form.addEventListener("submit", () => this.leave());
    document.addEventListener("submit", (event) => this.submittedElsewhere(event));
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.flush());
    addEventListener("beforeunload", (event) => this.beforeLeaving(event));
    addEventListener("pagehide", () => this.flush());
    addEventListener("pageshow", (event) => event.persisted && this.isLeaving && location.reload());
    const navigation = /** @type {PerformanceNavigationTiming | undefined} */ (
      performance.getEntriesByType("navigation")[0]
    );
    if (this.isUnsaved) this.plan(pause);
    else if (["reload", "back_forward"].includes(navigation?.type ?? "")) this.catchUp();
  }

  /* Reloaded at once after the last key, the page may have been drawn before that key was kept: draw it again then. */
  async catchUp() {
    await new Promise((resolve) => setTimeout(resolve, crossing));
    if (this.since || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      const fresh = markOf(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (fresh !== undefined && fresh !== markOf(document) && !this.since) location.reload();
    } catch {
      /* The session has ended or the server is away: the page stays as it is. */
    }
  }

  typed() {
    this.isUnsaved = true;
    this.isLeaving = false; // the sending was interrupted, if there was one
    this.since ||= Date.now();
    if (!this.isStopped) this.plan(Math.max(0, Math.min(pause, this.since + longestWait - Date.now())));
  }

  /** @param {number} delay */
  plan(delay) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), delay);
  }

  leave() {
    this.isLeaving = true;
    clearTimeout(this.timer);
  }

  /** @param {SubmitEvent} event */
  submittedElsewhere(event) {
    if (event.target === this.form) return;
    if (/** @type {HTMLButtonElement | null} */ (event.submitter)?.value !== "abandonner") {
      this.flush();
      return;
    }
    const abandon = /** @type {HTMLFormElement} */ (event.target);
    const turn = /** @type {HTMLInputElement} */ (abandon.elements.namedItem("draft_turn"));
    turn.value = this.turn.value; // what is under way must not bring the draft back
    this.leave();
  }

  /* Send what is typed now, even if the page goes away meanwhile. */
  flush() {
    if (this.isUnsaved && !this.isStopped && !this.isLeaving) this.save({ atOnce: true });
  }

  /** @param {BeforeUnloadEvent} event */
  beforeLeaving(event) {
    const wasUnsaved = this.isUnsaved && !this.isLeaving;
    this.flush();
    if (wasUnsaved && (this.isStopped || this.failures > 0 || this.isLong)) event.preventDefault();
  }

  async save({ atOnce = false } = {}) {
    if (this.isLeaving || (this.isSending && !atOnce)) {
      if (!this.isLeaving) this.plan(pause);
      return;
    }
    clearTimeout(this.timer);
    this.turn.value = String(Number(this.turn.value) + 1);
    const turn = this.turn.value;
    const body = new FormData(this.form);
    /** @type {NodeListOf<HTMLInputElement>} */
    const secrets = this.form.querySelectorAll("[type=password], [data-secret]");
    for (const secret of secrets) body.delete(secret.name);
    body.set("brouillon", "enregistrer");
    const lengths = [...body.values()].map((value) => (value instanceof File ? value.size : 3 * value.length));
    this.isLong = lengths.reduce((size, length) => size + length + 100, 0) > keepaliveLimit;
    this.isUnsaved = false;
    this.since = 0;
    this.isSending = true;
    try {
      const answer = await fetch(this.form.getAttribute("action") ?? location.href, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
        redirect: "manual",
        keepalive: atOnce && !this.isLong,
      });
      await this.hear(answer, turn);
    } catch {
      this.retry();
    } finally {
      this.isSending = false;
    }
  }

  /**
   * @param {Response} answer
   * @param {string} turn which sending it answers
   */
  async hear(answer, turn) {
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
    const message = isJson ? (await answer.json()).message : "";
    if (answer.ok && message) {
      this.failures = 0;
      if (turn === this.turn.value) this.show(message);
      return;
    }
    if (answer.status >= 500 || answer.status === 429) {
      this.retry(message);
      return;
    }
    const isEnded = answer.type === "opaqueredirect" || answer.status === 401;
    this.isUnsaved = true;
    this.isStopped = answer.status !== 413; // a text too long may become shorter
    this.show(message || (isEnded ? ended : refused), "blocked");
  }

  retry(message = later) {
    this.isUnsaved = true;
    if (this.isLeaving) return;
    this.show(message || later, "warning");
    this.plan(retries[Math.min(this.failures, retries.length - 1)]);
    this.failures += 1;
  }

  /**
   * The same words are not shown twice: they would be read aloud at each pause.
   * @param {string} words
   */
  show(words, level = "") {
    this.state.dataset.level = level;
    if (this.state.textContent !== words) this.state.textContent = words;
  }
}

/** @type {NodeListOf<HTMLFormElement>} */
const drafted = document.querySelectorAll("form[data-draft]");
for (const form of drafted) new Keeper(form);
