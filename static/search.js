// @ts-check
/* The search of the head: « / » leads to its field from anywhere; arrows go from one thing found to the next. */

/** @type {HTMLInputElement | null} */
const everywhere = document.querySelector("[data-search-everywhere]");

/** @param {EventTarget | null} target */
function isTypedIn(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** @param {KeyboardEvent} event */
function step(event) {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!move) return;
  /** @type {HTMLElement[]} */
  const found = [...document.querySelectorAll(".found li a, .found li button")].filter((each) => each instanceof HTMLElement);
  const place = found.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (place < 0 && (document.activeElement !== everywhere || move < 0)) return;
  const next = place + move < 0 ? everywhere : found[place + move];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (everywhere && event.key === everywhere.getAttribute("aria-keyshortcuts") && !isTypedIn(event.target)) {
    event.preventDefault();
    if (!everywhere.checkVisibility()) document.querySelector(".top-menu")?.toggleAttribute("open", true); // a telephone's
    everywhere.focus();
    everywhere.select();
  } else {
    step(event);
  }
});
