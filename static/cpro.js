// @ts-check
/* What a page gains when scripts run; none of it is required.
 *
 * form[method=post]           is not sent twice within four seconds, however often the button is pressed
 * select[data-ticks]          what is chosen in it ticks the answer that needs it, a radio above
 */

/* The answer to a post stands for a page: « Précédent » and reload ask for that page, and send nothing again. */
/** @type {HTMLMetaElement | null} */
const page = document.querySelector("meta[name=cpro-page]");
if (page) history.replaceState(history.state, "", page.content);

/* Long enough for a double click; short enough for a form that answers with a download and leaves the page in place. */
const doubleClickGuard = 4000;

/** @param {HTMLFormElement} form */
function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll(".is-busy")) button.classList.remove("is-busy");
}

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.classList.add("is-busy");
  setTimeout(release, doubleClickGuard, form);
});

/* A page brought back by the browser's « Précédent » must be usable again. */
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-sent]")).forEach(release);
});

/* A gated button explains itself; it must not act. */
document.addEventListener("click", (event) => {
  if (/** @type {Element} */ (event.target).closest("[aria-disabled=true]")) event.preventDefault();
});

document.addEventListener("change", (event) => {
  const { dataset, form, value } = /** @type {HTMLSelectElement} */ (event.target);
  const answer = value && dataset.ticks && form?.querySelector(dataset.ticks);
  if (answer) /** @type {HTMLInputElement} */ (answer).checked = true;
});
