// @ts-check
/* A warning two minutes before the session ends; « Rester connecté » prolongs it, up to what a sign-in lasts at most.
 *
 * The pages of a browser share one session: each says to the others when it now ends. */

/** @typedef {{idle: number, latest: number}} Ends instants, in milliseconds */

const warning = /** @type {HTMLDialogElement | null} */ (document.getElementById("fin-de-session"));
const before = 2 * 60 * 1000;
const every = 5000;

if (warning) watch(warning);

/** @param {HTMLDialogElement} dialog */
function watch(dialog) {
  const channel = new BroadcastChannel("cpro-session");
  const stay = /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-act=stay]"));
  const close = /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-act=close]"));
  let ends = count(Number(dialog.dataset.idle), Number(dialog.dataset.latest));
  let shown = ""; // what the person was told since the session was last prolonged

  /** @param {string} when */
  function say(when) {
    for (const each of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll("[data-when]"))) {
      each.hidden = each.dataset.when !== when;
    }
    stay.hidden = when === "latest" || when === "over";
    if (!dialog.open) dialog.showModal();
    (stay.hidden ? close : stay).focus();
  }

  function look() {
    const end = Math.min(ends.idle, ends.latest);
    const left = end - Date.now();
    if (left > before) {
      shown = "";
      dialog.close();
      return;
    }
    const when = left <= 0 ? "over" : ends.latest <= ends.idle ? "latest" : "idle";
    if (when === shown) return;
    shown = when;
    const hour = new Date(end).toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
    for (const each of dialog.querySelectorAll(".session-end-hour")) each.textContent = hour.replace(":", "\u00a0h\u00a0");
    say(when);
  }

  /** @param {Ends} now */
  function take(now) {
    ends = now;
    look();
  }

  async function prolong() {
    const token = /** @type {HTMLInputElement} */ (document.querySelector("input[name=csrf_token]")).value;
    try {
      const answer = await fetch(dialog.dataset.address ?? "", {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams({ csrf_token: token }),
      });
      if (answer.ok) {
        const left = await answer.json();
        take(count(left.idle, left.latest));
        channel.postMessage(ends);
        if (shown === "idle") say("busy"); // what the server could not note
      } else if (answer.status < 500) {
        take({ idle: 0, latest: 0 });
      } else {
        say("busy");
      }
    } catch {
      say("busy");
    }
  }

  stay.addEventListener("click", prolong);
  close.addEventListener("click", () => dialog.close());
  channel.addEventListener("message", (event) => take(event.data));
  channel.postMessage(ends);
  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
}

/**
 * @param {number} idle seconds
 * @param {number} latest seconds
 * @returns {Ends}
 */
function count(idle, latest) {
  return { idle: Date.now() + idle * 1000, latest: Date.now() + latest * 1000 };
}
