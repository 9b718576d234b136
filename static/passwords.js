// @ts-check
/* A password field gains a button that shows what is typed, and says when capitals are locked.
 *
 * Without this script it is an ordinary field. What is shown is hidden again before the form is sent: a browser that
 * keeps what was typed in texts never keeps a password. */

const capitals = "Les majuscules sont verrouillées sur ce clavier.";

/** @param {HTMLInputElement} secret */
function offerToShow(secret) {
  secret.dataset.secret = ""; // drafts leave it out, shown or not
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-outline-secondary btn-sm password-show";
  button.setAttribute("aria-pressed", "false");
  button.append("Afficher");
  const rest = document.createElement("span");
  rest.className = "sr-only";
  rest.append(" ce qui est tapé");
  button.append(rest);
  const notice = document.createElement("p");
  notice.className = "field-help password-capitals";
  notice.setAttribute("role", "status");
  secret.after(button, notice);

  /** @param {boolean} isShown */
  const show = (isShown) => {
    secret.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
  };
  button.addEventListener("click", () => show(secret.type === "password"));
  secret.form?.addEventListener("submit", () => show(false));
  /** @param {KeyboardEvent} event */
  const look = (event) => {
    const words = event.getModifierState?.("CapsLock") ? capitals : "";
    if (notice.textContent !== words) notice.textContent = words;
  };
  secret.addEventListener("keydown", look);
  secret.addEventListener("keyup", look);
  secret.addEventListener("blur", () => (notice.textContent = ""));
}

/** @type {NodeListOf<HTMLInputElement>} */
const secrets = document.querySelectorAll("main input[type=password]:not([hidden])");
secrets.forEach(offerToShow);
