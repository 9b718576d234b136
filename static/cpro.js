// @ts-check
/* What a page gains when scripts run; none of it is required.
 *
 * form[method=post]           is not sent twice within four seconds, however often the button is pressed
 * input[type=file][data-preview=ID]   writes the chosen file's name and size in the element ID
 */

/* The answer to a post stands for a page: « Précédent » and reload ask for that page, and send nothing again. */
/** @type {HTMLMetaElement | null} */
const page = document.querySelector("meta[name=cpro-page]");
if (page) history.replaceState(history.state, "", page.content);

const megabyte = 1024 * 1024;

/* Long enough for a double click; short enough for a form that answers with a download and leaves the page in place. */
const doubleClickGuard = 4000;

/** @param {HTMLFormElement} form */
function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll(".is-busy")) button.classList.remove("is-busy");
}

/** @param {File} file */
function describeFile(file) {
  const size = file.size < megabyte
    ? `${Math.max(1, Math.round(file.size / 1024))} Ko`
    : `${(file.size / megabyte).toFixed(1).replace(".", ",")} Mo`;
  return `Fichier choisi\u202f: ${file.name} (${size})`;
}

document.addEventListener("change", (event) => {
  const control = event.target;
  if (!(control instanceof HTMLInputElement)) return;
  const preview = control.dataset.preview;
  if (control.type === "file" && preview) {
    const place = document.getElementById(preview);
    if (place) place.textContent = [...(control.files ?? [])].map(describeFile).join(" · ");
  }
});

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
