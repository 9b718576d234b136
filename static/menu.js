// @ts-check
/* The menu of a telephone closes with Escape, and once the focus has left the head: nothing focused is hidden under it.
 * Without this script, css/frame.css hides it while the focus is elsewhere in the page. */

/** @type {HTMLDetailsElement | null} */
const menu = document.querySelector("details.top-menu");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
});

menu?.addEventListener("focusout", (event) => {
  if (event.relatedTarget instanceof Node && !menu.closest("header")?.contains(event.relatedTarget)) menu.open = false;
});
