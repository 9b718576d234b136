/* A warning before a page is left with something typed and not saved, in the forms that keep no draft.
 *
 * Loaded for people who are signed in only. A form counts once somebody typed in it and it differs from what it was;
 * the form that is being sent does not. */

const touched = new Map(); // each form somebody typed in, and what it held before
let sent = null;

function contents(form) {
  const pairs = [...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value]);
  return JSON.stringify(pairs);
}

const initial = new WeakMap();
for (const form of document.querySelectorAll("main form[method=post]:not([data-draft])")) initial.set(form, contents(form));

document.addEventListener("input", (event) => {
  const form = event.target.form;
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
