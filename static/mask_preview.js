/* The preview of the masks' page: each label follows the wording being typed. Without this script it shows what is stored. */

const preview = document.querySelector(".mask-preview");

function follow(input) {
  const shown = preview.querySelector(`[data-wording="${input.name}"]`);
  if (shown) shown.textContent = input.value.trim() || input.placeholder; // the placeholder is the default wording
}

const inputs = [...document.querySelectorAll(".mask input:not(:disabled)")];
if (preview && inputs.length) {
  preview.querySelector("[data-without-script]").hidden = true;
  preview.querySelector("[data-with-script]").hidden = false;
  for (const input of inputs) {
    follow(input);
    input.addEventListener("input", () => follow(input));
  }
}
