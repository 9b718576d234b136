// @ts-check
/* A picture that is a link to itself (a[data-enlarge]) shows large over the page; Escape or a click closes it. Without
 * this script the link opens the picture. */

document.addEventListener("click", (event) => {
  const link = /** @type {HTMLElement} */ (event.target).closest("a[data-enlarge]");
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.createElement("dialog");
  const picture = new Image();
  const close = document.createElement("button");
  picture.src = link.href;
  picture.alt = link.querySelector("img")?.alt ?? "";
  close.className = "btn btn-outline-secondary";
  close.append("Fermer");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", picture.alt);
  dialog.append(picture, close);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});
