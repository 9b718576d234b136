// @ts-check
/* A long list to choose from is narrowed by a word of its codes or labels, whatever the case and the accents.
 *
 * select[data-choose], [data-choose] around boxes: a field above narrows what is offered; without a script all of it is
 * there. What is chosen always stays; the only choice left, or the code that was typed whole, is chosen.
 */

/* Fewer are read at a glance. */
const fewest = 10;

/** @param {string | null} text */
const fold = (text) => (text ?? "").normalize("NFD").replace(/[\u0300-\u036f\s]/g, "").toLowerCase();

/**
 * @param {HTMLElement} list
 * @param {string} name
 * @param {(words: string) => number} narrow  returns how many choices are left
 */
function addField(list, name, narrow) {
  const field = document.createElement("input");
  field.type = "search";
  field.className = "form-control";
  field.placeholder = "Réduire la liste\u202f: code ou intitulé";
  field.setAttribute("aria-label", `Réduire la liste\u202f: ${name}`);
  const status = document.createElement("span");
  status.className = "sr-only";
  status.setAttribute("role", "status");
  const place = document.createElement("span");
  place.className = "choose";
  place.append(field, status);
  field.addEventListener("input", (event) => {
    event.stopPropagation(); // nothing of the form has changed yet
    const left = narrow(fold(field.value));
    status.textContent = left ? `${left} choix` : "Aucun choix ne répond à ces mots.";
  });
  list.before(place);
}

/** @param {HTMLSelectElement} select */
function narrowOptions(select) {
  const all = [...select.options];
  addField(select, select.labels[0]?.textContent?.trim() ?? "", (words) => {
    const kept = select.selectedOptions[0];
    const found = all.filter((each) => each.value && fold(each.textContent).includes(words));
    const exact = found.filter((each) => fold(each.value) === words);
    const best = words && (exact[0] ?? (found.length === 1 ? found[0] : null));
    select.replaceChildren(...all.filter((each) => !each.value || each === kept || found.includes(each)));
    if (best && best !== kept) {
      best.selected = true;
      select.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return found.length;
  });
}

/** @param {HTMLElement} ticks */
function narrowBoxes(ticks) {
  const all = /** @type {HTMLElement[]} */ ([...ticks.querySelectorAll(".choice")]);
  addField(ticks, ticks.closest("fieldset")?.querySelector("legend")?.textContent?.trim() ?? "", (words) => {
    const found = all.filter((each) => fold(each.textContent).includes(words));
    for (const each of all) each.hidden = !found.includes(each) && !each.querySelector("input")?.checked;
    return found.length;
  });
}

/** @type {NodeListOf<HTMLElement>} */
const lists = document.querySelectorAll("[data-choose]");
for (const list of lists) {
  if (list instanceof HTMLSelectElement) {
    if (list.options.length > fewest) narrowOptions(list);
  } else if (list.querySelectorAll(".choice").length > fewest) narrowBoxes(list);
}
