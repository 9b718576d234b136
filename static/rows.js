// @ts-check
/* Boxes of a list: « Tout cocher » in the head of the table, a run of boxes with Shift, how many are ticked.
 *
 * form[data-rows] around the table. Without a script, each row has its box, and « Toutes les lignes » is under the table.
 */

/** @param {HTMLFormElement} form */
function follow(form) {
  const boxes = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[type=checkbox][name=rowid]")]);
  const head = form.querySelector("thead th");
  if (!boxes.length || !head) return;

  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Tout cocher sur cette page");
  head.replaceChildren(all);
  const status = document.createElement("span");
  status.className = "rows-count";
  status.setAttribute("role", "status");
  form.querySelector(".listing-bulk")?.append(status);

  const whole = /** @type {HTMLInputElement | null} */ (form.querySelector("input[name=tous]"));

  const describe = () => {
    const ticked = boxes.filter((each) => each.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && !all.checked;
    const counted = ticked ? `${ticked} ${ticked > 1 ? "lignes cochées" : "ligne cochée"} sur cette page` : "";
    status.textContent = whole?.checked ? "Toutes les lignes de cette liste" : counted;
  };

  all.addEventListener("change", () => {
    for (const each of boxes) each.checked = all.checked;
    describe();
  });

  whole?.addEventListener("change", describe);

  /** @type {HTMLInputElement | undefined} */
  let last;
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last && last !== box) {
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
        for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
      }
      last = box;
      describe();
    });
  }
  addEventListener("pageshow", describe); // the browser's « Précédent » brings back what was ticked
  describe();
}

/** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-rows]")).forEach(follow);
