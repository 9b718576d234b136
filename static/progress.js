// @ts-check
/* The page of a job: fetch it again and put its section in place of the old one, until the job is finished.
 *
 * Without this script the link « Actualiser » does the same. Stops at the first error or odd answer (signed out,
 * server away): the link is still there. A hidden page asks nothing. */

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const usualPause = 2000;
const calmPause = 10000;

const announcement = document.getElementById("travail-annonce");

/** @param {Document} root */
function section(root) {
  return root.getElementById("travail");
}

function isRunning() {
  return section(document)?.hasAttribute("data-running");
}

/**
 * Announce to a screen reader the changes of state and each quarter of the way, not each step.
 * @param {HTMLElement} job
 */
function milestone(job) {
  /** @type {HTMLProgressElement | null} */
  const bar = job.querySelector("progress[value]");
  const quarter = bar ? Math.floor((4 * bar.value) / bar.max) : 0;
  const word = job.dataset.announce ?? "";
  return bar && quarter ? `${word}\u202f: ${quarter * 25}\u00a0%` : word;
}

async function refresh() {
  if (document.hidden) return true;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return false;
  const fresh = section(new DOMParser().parseFromString(await answer.text(), "text/html"));
  const stale = section(document);
  if (!fresh || !stale) return false;
  const focused = stale.contains(document.activeElement) ? document.activeElement?.id : "";
  const before = milestone(stale);
  stale.replaceWith(document.adoptNode(fresh));
  if (focused) (document.getElementById(focused) ?? document.getElementById("contenu"))?.focus();
  if (announcement && milestone(fresh) !== before) announcement.textContent = milestone(fresh);
  return true;
}

function plan() {
  setTimeout(async () => {
    try {
      if ((await refresh()) && isRunning()) plan();
    } catch {
      /* The server is away or the sign-in has ended: the link remains. */
    }
  }, calm.matches ? calmPause : usualPause);
}

if (isRunning()) plan();
