// @ts-check
/* The steps of a text that is written, so that each can be undone and done again: the browser's own are lost once a tool
 * has changed the text. A step is the text as it stood, with the caret. */

const most = 100;
/* What is typed without a pause is one step. */
const pause = 1000;

/** @typedef {{ nodes: Node[], path: number[], kind: string, at: number }} Step */

export class Steps {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {Step[]} */
    this.steps = [this.seen("")];
    this.here = 0;
  }

  /** @param {string} kind */
  seen(kind) {
    return { nodes: [...this.place.cloneNode(true).childNodes], path: this.pathOfCaret(), kind, at: Date.now() };
  }

  /**
   * Remember the text as it stands now.
   * @param {string} [kind] what the browser calls what was typed; nothing for a tool
   */
  record(kind = "") {
    const last = this.steps[this.here];
    const continues = this.here > 0 && kind.endsWith("Text") && kind === last.kind && Date.now() - last.at < pause;
    this.steps.length = this.here + (continues ? 0 : 1);
    this.steps.push(this.seen(kind));
    if (this.steps.length > most) this.steps.shift();
    this.here = this.steps.length - 1;
  }

  /**
   * Show the step before or after this one, if there is one.
   * @param {1 | -1} way
   */
  go(way) {
    const step = this.steps[this.here + way];
    if (!step) return;
    this.here += way;
    this.place.replaceChildren(...step.nodes.map((node) => node.cloneNode(true)));
    /** @type {Node} */
    let node = this.place;
    const offset = step.path[step.path.length - 1] ?? 0;
    for (const index of step.path.slice(0, -1)) node = node.childNodes[index] ?? node;
    const end = node instanceof Text ? node.length : node.childNodes.length;
    getSelection()?.collapse(node, Math.min(offset, end));
  }

  /** Return the way from the text to the caret, child by child, then the offset in the last one. */
  pathOfCaret() {
    const selection = getSelection();
    let node = selection?.focusNode ?? null;
    if (!node || !this.place.contains(node)) return [];
    const path = [selection?.focusOffset ?? 0];
    for (; node !== this.place && node?.parentNode; node = node.parentNode) {
      path.unshift([...node.parentNode.childNodes].indexOf(/** @type {ChildNode} */ (node)));
    }
    return path;
  }
}
