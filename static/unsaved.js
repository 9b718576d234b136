// @ts-check
/* A warning before a page is left with something typed and not saved, in the forms that keep no draft.
 *
 * For people who are signed in only. A form counts once somebody typed in it and it differs from what it was;
 * the form that is being sent does not. */

/** @type {Map<HTMLFormElement, string | undefined>} */
const touched = new Map(); // each form somebody typed in, and what it held before
/** @type {EventTarget | null} */
let sent = null;

/** @param {HTMLFormElement} form */
function contents(form) {
  const pairs = [...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value]);
  return JSON.stringify(pairs);
}

/** @type {WeakMap<HTMLFormElement, string>} */
const initial = new WeakMap();
/** @type {NodeListOf<HTMLFormElement>} */
const watched = document.querySelectorAll("[data-signed-in] main form[method=post]:not([data-draft], [data-grid])");
for (const form of watched) initial.set(form, contents(form));

document.addEventListener("input", (event) => {
  const form = /** @type {HTMLInputElement} */ (event.target).form;
  if (event.isTrusted && form && initial.has(form)) touched.set(form, initial.get(form));
});

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  sent = event.target;
  setTimeout(() => (sent = null), 1000); // a form that answers with a download leaves the page in place
});

addEventListener("beforeunload", (event) => {
  const isAtRisk = [...touched].some(([form, before]) => form !== sent && form.isConnected && contents(form) !== before);
  if (isAtRisk) event.preventDefault();
});
