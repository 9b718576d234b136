// @ts-check
/* A form that a passkey fills in: one is made (a form that says data-passkey="create", when it is sent), or signs what
 * the server drew (a button that says data-passkey="get"). What the browser answers goes in the form's hidden field, and
 * the form is sent as any other.
 *
 * Without this script, or where the browser knows no passkeys, the button stays hidden and the code remains. */

/** @param {string} text base64url, as the server writes bytes */
function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** @param {ArrayBuffer | null} bytes */
function toText(bytes) {
  if (!bytes) return null;
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {{ id: string }[] | undefined} described */
function toCredentials(described) {
  return (described ?? []).map((each) => ({ type: /** @type {const} */ ("public-key"), id: toBytes(each.id) }));
}

/** @param {any} options */
async function make(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: toCredentials(options.excludeCredentials),
    },
  });
  const credential = /** @type {PublicKeyCredential} */ (made);
  const response = /** @type {AuthenticatorAttestationResponse} */ (credential.response);
  return { credential, response: { attestationObject: toText(response.attestationObject) } };
}

/** @param {any} options */
async function sign(options) {
  const signed = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      allowCredentials: toCredentials(options.allowCredentials),
    },
  });
  const credential = /** @type {PublicKeyCredential} */ (signed);
  const response = /** @type {AuthenticatorAssertionResponse} */ (credential.response);
  return {
    credential,
    response: {
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: toText(response.userHandle),
    },
  };
}

/**
 * @param {HTMLFormElement} form
 * @param {string} address
 * @param {(options: any) => Promise<{ credential: PublicKeyCredential, response: object }>} ask
 */
async function fill(form, address, ask) {
  const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("csrf_token")).value;
  const answer = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ csrf_token: token }),
    redirect: "error",
  });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const { credential, response } = await ask(await answer.json());
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("passkey"));
  field.value = JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: { ...response, clientDataJSON: toText(credential.response.clientDataJSON) },
    clientExtensionResults: {},
  });
  form.submit();
}

/**
 * @param {HTMLElement} asked
 * @param {HTMLFormElement} form
 * @param {typeof make | typeof sign} ask
 */
async function attempt(asked, form, ask) {
  /** @type {HTMLElement | null} */
  const failed = form.querySelector("[data-passkey-failed]");
  if (failed) failed.hidden = true;
  try {
    await fill(form, asked.dataset.options ?? "", ask);
  } catch {
    /* Cancelled, no key at hand, signed out: the sentence says what else there is. */
    if (failed) failed.hidden = false;
  }
}

if ("PublicKeyCredential" in window) {
  for (const form of document.forms) {
    if (form.dataset.passkey !== "create") continue;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(form, form, make);
    });
  }
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll("button[data-passkey='get']");
  for (const button of buttons) {
    const { form } = button;
    if (!form) continue;
    button.hidden = false;
    button.addEventListener("click", () => void attempt(button, form, sign));
  }
}
