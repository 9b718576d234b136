// @ts-check
/* The preview of the masks' page: each label follows the wording being typed. Without this script it shows what is stored. */

const preview = document.querySelector(".mask-preview");

/** @param {HTMLInputElement} input */
function follow(input) {
  const shown = preview?.querySelector(`[data-wording="${input.name}"]`);
  if (shown) shown.textContent = input.value.trim() || input.placeholder; // the placeholder is the default wording
}

/** @type {NodeListOf<HTMLInputElement>} */
const inputs = document.querySelectorAll(".mask input:not(:disabled)");
if (preview && inputs.length) {
  /** @type {HTMLElement} */ (preview.querySelector("[data-without-script]")).hidden = true;
  /** @type {HTMLElement} */ (preview.querySelector("[data-with-script]")).hidden = false;
  for (const input of inputs) {
    follow(input);
    input.addEventListener("input", () => follow(input));
  }
}
