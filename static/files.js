// @ts-check
/* Fields of files (input[data-files]): what is chosen or dropped is named, weighed and judged before it is sent, a
 * picture that is too large is made smaller, and what takes a while to send shows how far it is.
 *
 * Without this script they are ordinary fields. Their bounds, {refused, bytes, heavy, most, many, side, pixels}, are the
 * server's (cpro/core/web/uploads.py), which judges again. */

const soonSent = 256 * 1024; // what weighs less goes as any form does

/** @param {number} size */
const weigh = (size) => size < 1024 * 1024
  ? `${Math.max(1, Math.round(size / 1024))}\u00a0ko`
  : `${(size / 1024 / 1024).toFixed(1).replace(".", ",")}\u00a0Mo`;

/**
 * @param {string} name
 * @param {string} className
 * @param {...(Node | string)} content
 */
function make(name, className, ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}

/**
 * @param {string} words
 * @param {string} object named for the ear alone
 * @param {() => void} act
 */
function button(words, object, act) {
  const made = /** @type {HTMLButtonElement} */ (
    make("button", "btn btn-outline-secondary btn-sm", words, make("span", "sr-only", ` ${object}`))
  );
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/**
 * Return a picture as this browser sees it, upright and no larger than the server keeps it; null where it reads none,
 * or where nothing asks for that.
 * @param {File} file
 * @param {boolean} isRefused
 * @param {{side: number, pixels: number}} bounds
 */
async function shrink(file, isRefused, { side, pixels }) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture || (!isRefused && picture.width * picture.height <= pixels)) return null;
  const ratio = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(picture.width * ratio);
  canvas.height = Math.ceil(picture.height * ratio);
  const context = canvas.getContext("2d");
  if (context) context.imageSmoothingQuality = "high";
  context?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const [kind, suffix] = /png|gif|webp/.test(file.type) ? ["image/png", "png"] : ["image/jpeg", "jpg"];
  const content = await new Promise((resolve) => canvas.toBlob(resolve, kind, 0.95));
  return content && new File([content], `${file.name.replace(/\.\w+$/, "")}.${suffix}`, { type: kind });
}

/** @typedef {{file: File, why: string, note: string}} Chosen */

class Field {
  /** @param {HTMLInputElement} input */
  constructor(input) {
    this.input = input;
    this.zone = /** @type {HTMLElement} */ (input.closest(".field"));
    this.state = /** @type {HTMLElement} */ (this.zone.querySelector("[role=status]"));
    this.bounds = JSON.parse(input.dataset.files ?? "");
    /** @type {Chosen[]} */
    this.chosen = [];
    this.judged = Promise.resolve();
    this.list = make("ul", "files");
    this.state.before(this.list);
    input.addEventListener("change", () => this.take(input.files));
  }

  /** @param {FileList | null | undefined} files */
  take(files) {
    const taken = [...(files ?? [])];
    this.judged = this.judged.then(async () => {
      const judged = await Promise.all(taken.map((file) => this.judge(file)));
      const names = judged.map(({ file }) => file.name);
      const kept = this.input.multiple || !judged.length ? this.chosen.filter(({ file }) => !names.includes(file.name)) : [];
      this.chosen = [...kept, ...judged];
      this.show();
    });
  }

  /**
   * @param {File} file
   * @returns {Promise<Chosen>}
   */
  async judge(file) {
    const { bytes, heavy, refused, side } = this.bounds;
    let why = "Un dossier ne se dépose pas\u202f: choisissez ses fichiers.";
    try {
      const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 64).arrayBuffer()));
      why = refused.find((/** @type {string[]} */ [beginning]) => new RegExp(`^(?:${beginning})`, "s").test(start))?.[1]
        ?? (file.size > bytes ? heavy : "");
    } catch {
      return { file, why, note: "" };
    }
    const smaller = side ? await shrink(file, why !== "", this.bounds) : null;
    if (!smaller || smaller.size > bytes) return { file, why, note: "" };
    return { file: smaller, why: "", note: `, réduite\u202f: elle pesait ${weigh(file.size)}` };
  }

  /** Show what is chosen, have the form send what may be sent, and say it for the ear after `first`. */
  show(first = "") {
    const sent = new DataTransfer();
    let size = 0;
    const lines = this.chosen.map((each) => {
      const { bytes, heavy, most, many } = this.bounds;
      const why = each.why || (sent.files.length >= most ? many : size + each.file.size > bytes ? heavy : "");
      if (!why) {
        sent.items.add(each.file);
        size += each.file.size;
      }
      const words = `${each.file.name} (${weigh(each.file.size)}${each.note})`;
      const line = make("li", "", make("span", "", words), button("Retirer", each.file.name, () => this.remove(each)));
      if (why) line.append(make("p", "field-error", make("span", "", `Ne sera pas envoyé. ${why}`)));
      return { line, words: why ? `${words}\u202f: ne sera pas envoyé. ${why}` : words };
    });
    this.input.files = sent.files;
    this.list.replaceChildren(...lines.map(({ line }) => line));
    this.state.textContent = `${first}${lines.map(({ words }) => words).join(" · ") || "Aucun fichier choisi."}`;
  }

  /** @param {Chosen} gone */
  remove(gone) {
    const place = this.chosen.indexOf(gone);
    this.chosen.splice(place, 1);
    this.show(`${gone.file.name} est retiré. `);
    const buttons = this.list.querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? this.input).focus();
  }
}

/** @type {Field[]} */
let fields = [];
function enhance() {
  /** @type {NodeListOf<HTMLInputElement>} */
  const inputs = document.querySelectorAll("main input[data-files]");
  fields = [...inputs].map((input) => new Field(input));
}
enhance();

/** The field over which files are held: the only one of its page wherever they are. @param {Event} event */
const under = (event) =>
  fields.find(({ zone }) => zone.contains(/** @type {Node} */ (event.target))) ?? (fields.length > 1 ? undefined : fields[0]);

/** @param {Field} [over] */
const mark = (over) => fields.forEach((field) => field.zone.classList.toggle("is-over", field === over));

for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    const { dataTransfer } = /** @type {DragEvent} */ (event);
    if (!fields.length || !dataTransfer?.types.includes("Files")) return;
    const over = under(event);
    event.preventDefault(); // beside a field, the browser would leave the page for the file
    if (kind === "dragover") dataTransfer.dropEffect = over ? "copy" : "none";
    if (kind === "drop") over?.take(dataTransfer.files);
    mark(kind === "dragover" ? over : undefined);
  });

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const own = fields.filter(({ input }) => input.form === form);
  const refused = own.find(({ chosen }) => chosen.length);
  if (refused && !own.some(({ input }) => input.files?.length)) { // the server would say that nothing was chosen
    event.preventDefault();
    refused.show("Rien n’est envoyé. ");
    refused.list.append(make("li", "", make("p", "field-error", make("span", "", "Rien n’est envoyé\u202f: choisissez un autre fichier."))));
    refused.list.querySelector("button")?.focus();
    return;
  }
  const sizes = own.flatMap(({ input }) => [...(input.files ?? [])]).map(({ size }) => size);
  if (event.defaultPrevented || sizes.reduce((sum, size) => sum + size, 0) < soonSent) return;
  event.preventDefault();
  if ("sending" in form.dataset) return;
  form.dataset.sending = "";
  await Promise.all(own.map(({ judged }) => judged));
  send(form, /** @type {HTMLButtonElement | null} */ (event.submitter), own);
}, true);

/**
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement | null} submitter
 * @param {Field[]} own
 */
function send(form, submitter, own) {
  const { zone, state } = /** @type {Field} */ (own.find(({ chosen }) => chosen.length));
  const data = new FormData(form);
  if (submitter?.name) data.append(submitter.name, submitter.value);
  const request = new XMLHttpRequest();
  const bar = document.createElement("progress");
  const words = make("span", "", "Envoi…");
  const box = make("div", "sending", bar, words, button("Interrompre", "l’envoi", () => request.abort()));
  bar.setAttribute("aria-label", "Envoi");
  zone.querySelector(".sending")?.remove();
  zone.append(box);
  request.upload.onprogress = ({ loaded, total }) => {
    bar.max = total;
    bar.value = loaded;
    words.textContent = loaded < total
      ? `Envoi\u202f: ${Math.floor((100 * loaded) / total)}\u00a0%`
      : "Tout est envoyé\u202f; le serveur lit vos fichiers…";
    const quarter = `Envoi\u202f: ${25 * Math.floor((4 * loaded) / total)}\u00a0%`;
    if (state.textContent !== quarter) state.textContent = quarter;
  };
  const stop = (/** @type {string} */ why) => {
    delete form.dataset.sending;
    box.replaceChildren(make("p", "field-error", make("span", "", why)));
    state.textContent = why;
    submitter?.focus();
  };
  request.onabort = () => stop("Envoi interrompu\u202f: rien n’a été enregistré.");
  request.onerror = () => stop("L’envoi n’a pas abouti\u202f: vérifiez votre connexion, puis recommencez.");
  request.onload = () => {
    if (!arrive(request, form)) stop(`L’envoi n’a pas abouti\u202f: le serveur a répondu ${request.status}. Recommencez plus tard.`);
  };
  request.open("POST", submitter?.hasAttribute("formaction") ? submitter.formAction : form.action);
  request.setRequestHeader("X-CPro-Files", "1");
  request.send(data);
}

addEventListener("pagehide", () => { // « Précédent » may bring the page back as it is left
  const left = fields.filter(({ input }) => input.form && "sending" in input.form.dataset);
  for (const field of left) {
    delete field.input.form?.dataset.sending;
    field.zone.querySelector(".sending")?.remove();
    field.chosen = [];
    field.show();
  }
});

/**
 * Show what the server answers; return whether it is an answer of ours: a proxy refuses with a bare page.
 * @param {XMLHttpRequest} request
 * @param {HTMLFormElement} form
 */
function arrive(request, form) {
  const address = request.getResponseHeader("Location");
  if (address) {
    form.reset(); // nothing of it remains to be saved
    location.assign(address);
    return true;
  }
  const answer = new DOMParser().parseFromString(request.responseText, "text/html");
  const [fresh, stale] = [answer, document].map((each) => each.querySelector("main"));
  if (!fresh || !stale) return false;
  document.title = answer.title;
  stale.replaceWith(document.adoptNode(fresh));
  enhance();
  /** @type {HTMLElement} */ (fresh.querySelector("[autofocus]") ?? fresh).focus();
  return true;
}
