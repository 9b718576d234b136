// @ts-check
/* What the editor's tools do to its text: bold, lists, links, and putting in what is pasted. Each function acts on the
 * selection inside `place` (the element one writes in) and leaves a selection there; nothing here knows the tools. */

/** What holds a place in a text while nothing stands there yet; never part of what is kept. */
export const holder = "\u200b";

/**
 * Return the selected range, when it lies in the text.
 * @param {HTMLElement} place
 */
export function selectedRange(place) {
  const selection = getSelection();
  const range = selection?.rangeCount ? selection.getRangeAt(0) : null;
  return range && place.contains(range.commonAncestorContainer) ? range : null;
}

/**
 * @param {Node} start
 * @param {number} startOffset
 * @param {Node} end
 * @param {number} endOffset
 */
function select(start, startOffset, end = start, endOffset = startOffset) {
  getSelection()?.setBaseAndExtent(start, startOffset, end, endOffset);
}

/**
 * Return the element of that kind around a node, within the text.
 * @param {HTMLElement} place
 * @param {Node | null} node
 * @param {string} kind
 */
export function around(place, node, kind) {
  const element = node instanceof Element ? node : node?.parentElement;
  const found = element?.closest(kind);
  return found && found !== place && place.contains(found) ? found : null;
}

/**
 * Return the words selected, cut at both ends of the selection.
 * @param {Range} range
 */
function selectedTexts(range) {
  let { startContainer: start, endContainer: end } = range;
  if (end instanceof Text && range.endOffset < end.length) end.splitText(range.endOffset);
  if (start instanceof Text && range.startOffset > 0) {
    const rest = start.splitText(range.startOffset);
    if (end === start) end = rest;
    start = rest;
    range.setStart(start, 0);
    if (end instanceof Text) range.setEnd(end, end.length);
  }
  const root = range.commonAncestorContainer;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = root instanceof Text ? [root] : [];
  while (walker.nextNode()) {
    const text = /** @type {Text} */ (walker.currentNode);
    const isIn = range.comparePoint(text, 0) >= 0 && range.comparePoint(text, text.length) <= 0;
    if (isIn && text.length && text.parentElement?.closest("p, li")) found.push(text);
  }
  return found;
}

/**
 * Take a node out of an element around it, which is cut in two there.
 * @param {Node} node
 * @param {Element} element
 */
function lift(node, element) {
  const after = document.createRange();
  after.setStartAfter(node);
  after.setEndAfter(element);
  const rest = after.extractContents();
  element.after(node, rest);
  for (const each of [element, node.nextSibling]) {
    if (each instanceof Element && !each.textContent && !each.querySelector("br")) each.remove();
  }
}

/**
 * Put a node in an element of its own, joined with the one before where it is the same.
 * @param {Node} node
 * @param {HTMLElement} element
 */
function wrap(node, element) {
  const before = node.previousSibling;
  if (before instanceof Element && before.cloneNode(false).isEqualNode(element)) before.append(node);
  else {
    /** @type {ChildNode} */ (node).replaceWith(element);
    element.append(node);
  }
}

/**
 * Put words in a mark, or take them out of it; where none are selected, those that will be typed.
 * @param {HTMLElement} place
 * @param {"strong" | "em"} mark
 */
export function toggleMark(place, mark) {
  const range = selectedRange(place);
  if (!range) return;
  if (range.collapsed) {
    range.insertNode(new Text(holder));
  }
  const texts = selectedTexts(range);
  if (!texts.length) return;
  const areMarked = texts.every((text) => around(place, text, mark));
  for (const text of texts) {
    const marked = around(place, text, mark);
    if (areMarked && marked) lift(text, marked);
    else if (!areMarked && !marked) wrap(text, document.createElement(mark));
  }
  const last = texts[texts.length - 1];
  select(texts[0], texts[0].data === holder ? 1 : 0, last, last.length);
}

/**
 * Return the paragraphs and the lines of lists that are selected, or that the caret stands in.
 * @param {HTMLElement} place
 * @param {Range} range
 */
function selectedBlocks(place, range) {
  const blocks = [...place.querySelectorAll("p, li")].filter((block) => range.intersectsNode(block));
  return blocks.filter((block) => !blocks.some((other) => other !== block && block.contains(other)));
}

/**
 * Keep the selection while the elements around it change.
 * @param {Range} range
 * @param {() => void} change
 */
function keepingSelection(range, change) {
  const { startContainer, startOffset, endContainer, endOffset } = range;
  change();
  if (startContainer.isConnected && endContainer.isConnected) select(startContainer, startOffset, endContainer, endOffset);
}

/**
 * @param {HTMLElement} place
 * @param {"ul" | "ol"} kind
 */
export function toggleList(place, kind) {
  const range = selectedRange(place);
  if (!range) return;
  const blocks = selectedBlocks(place, range);
  const areListed = blocks.length > 0 && blocks.every((block) => block.parentElement?.localName === kind);
  keepingSelection(range, () => {
    for (const block of blocks) {
      if (areListed) unlist(block);
      else list(block, kind);
    }
  });
  if (blocks.every((block) => !block.isConnected || !block.contains(getSelection()?.anchorNode ?? null))) {
    const here = [...place.querySelectorAll("p, li")].find((each) => !each.textContent);
    if (here) select(here, 0);
  }
}

/**
 * Make a block a line of a list of that kind: the one it follows, or a new one.
 * @param {Element} block
 * @param {"ul" | "ol"} kind
 */
function list(block, kind) {
  const parent = block.parentElement;
  if (!parent || parent.localName === kind) return;
  if (block.localName === "li") {
    const made = document.createElement(kind);
    made.append(...parent.childNodes);
    parent.replaceWith(made);
    return;
  }
  const line = document.createElement("li");
  line.append(...block.childNodes);
  const before = block.previousElementSibling;
  const after = block.nextElementSibling;
  const target = before?.localName === kind ? before : document.createElement(kind);
  if (target === before) block.remove();
  else block.replaceWith(target);
  target.append(line);
  if (after?.localName === kind) {
    target.append(...after.childNodes);
    after.remove();
  }
}

/**
 * Make a line of a list a paragraph; the list is cut in two there.
 * @param {Element} line
 */
function unlist(line) {
  const parent = line.parentElement;
  if (!parent) return;
  const inner = parent.parentElement?.localName === "li";
  lift(line, parent);
  if (inner && line.parentElement) {
    line.parentElement.after(line); // a line of the list around
    return;
  }
  const paragraph = document.createElement("p");
  const nested = [...line.children].filter((each) => /^[uo]l$/.test(each.localName));
  paragraph.append(...[...line.childNodes].filter((each) => !nested.includes(/** @type {Element} */ (each))));
  line.replaceWith(paragraph, ...nested);
}

/**
 * Return the links that are selected, or that the caret stands in.
 * @param {HTMLElement} place
 * @param {Range} range
 */
function selectedLinks(place, range) {
  return [...place.querySelectorAll("a")].filter((link) => range.intersectsNode(link));
}

/** @param {HTMLElement} place */
export function removeLink(place) {
  const range = selectedRange(place);
  if (!range) return;
  keepingSelection(range, () => {
    for (const link of selectedLinks(place, range)) link.replaceWith(...link.childNodes);
  });
}

/**
 * Make the words selected a link, or write its address where none are.
 * @param {HTMLElement} place
 * @param {string} address
 */
export function putLink(place, address) {
  const range = selectedRange(place);
  if (!range) return;
  const made = () => Object.assign(document.createElement("a"), { href: address });
  if (range.collapsed) {
    const link = made();
    link.append(address);
    range.insertNode(link);
    select(link, 1);
    return;
  }
  const texts = selectedTexts(range);
  for (const text of texts) {
    const link = around(place, text, "a");
    if (link) lift(text, link);
    wrap(text, made());
  }
  if (texts.length) select(texts[0], 0, texts[texts.length - 1], texts[texts.length - 1].length);
}

/**
 * Take out what is selected; the blocks at both ends become one.
 * @param {HTMLElement} place
 * @param {Range} range
 */
function removeSelected(place, range) {
  const [first, last] = [range.startContainer, range.endContainer].map((node) => around(place, node, "p, li"));
  range.deleteContents();
  if (!first || !last || first === last) return;
  const end = first.childNodes.length;
  first.append(...last.childNodes);
  const parent = last.parentElement;
  last.remove();
  if (parent && parent !== place && !parent.children.length) parent.remove();
  range.setStart(first, end);
  range.collapse(true);
}

/**
 * Put the content of an element where the caret is, in place of what is selected.
 * @param {HTMLElement} place
 * @param {HTMLElement} given
 */
export function put(place, given) {
  const range = selectedRange(place);
  if (!range) return;
  if (!range.collapsed) removeSelected(place, range);
  const only = given.childNodes.length === 1 ? given.firstElementChild : null;
  const nodes = [...(only?.localName === "p" ? only : given).childNodes]; // a paragraph alone goes on the line of the caret
  const last = nodes[nodes.length - 1];
  if (!last) return;
  const block = around(place, range.startContainer, "p, li");
  if (block && nodes.some(isBlock)) putBlocks(place, range, block, nodes);
  else {
    block?.querySelector(":scope > br:only-child")?.remove();
    range.insertNode(fragmentOf(nodes));
  }
  const end = document.createRange();
  end.selectNodeContents(last);
  end.collapse(false);
  if (last instanceof Text) end.setStart(last, last.length);
  select(end.endContainer, end.endOffset);
}

/**
 * Put paragraphs and lists between the two halves of the block where the caret is.
 * @param {HTMLElement} place
 * @param {Range} range
 * @param {Element} block
 * @param {Node[]} nodes
 */
function putBlocks(place, range, block, nodes) {
  const outer = topOf(place, block);
  const after = document.createRange();
  after.setStart(range.startContainer, range.startOffset);
  after.setEndAfter(outer);
  const rest = after.extractContents();
  const halves = [outer, ...rest.children];
  outer.after(fragmentOf(nodes), rest);
  gather(place);
  for (const half of halves) if (!half.textContent) half.remove();
}

/** @param {Node} node */
function isBlock(node) {
  return node instanceof Element && /^(p|ul|ol)$/.test(node.localName);
}

/**
 * Put the words that stand between blocks in paragraphs of their own.
 * @param {HTMLElement} place
 */
function gather(place) {
  /** @type {HTMLElement | null} */
  let open = null;
  for (const node of [...place.childNodes]) {
    if (isBlock(node)) open = null;
    else if (node.nodeName === "DIV") { // what browsers make of « Entrée » outside a paragraph
      open = null;
      const paragraph = document.createElement("p");
      paragraph.append(...node.childNodes);
      node.replaceWith(paragraph);
    } else if (open) open.append(node);
    else if (node.nodeName === "BR" || node.textContent?.trim()) {
      open = document.createElement("p");
      node.replaceWith(open);
      open.append(node);
    }
  }
}

/**
 * @param {HTMLElement} place
 * @param {Element} node
 */
function topOf(place, node) {
  let top = node;
  while (top.parentElement && top.parentElement !== place) top = top.parentElement;
  return top;
}

/** @param {Node[]} nodes */
function fragmentOf(nodes) {
  const fragment = document.createDocumentFragment();
  fragment.append(...nodes);
  return fragment;
}

/**
 * Give the text a paragraph to be typed in; words that stand in none get one.
 * @param {HTMLElement} place
 */
export function ensureParagraph(place) {
  const range = selectedRange(place);
  const [node, offset] = [range?.startContainer, range?.startOffset ?? 0];
  const isCollapsed = range?.collapsed;
  if (place.children.length && [...place.childNodes].every(isBlock)) return;
  gather(place);
  if (!place.children.length) {
    const paragraph = document.createElement("p");
    paragraph.append(document.createElement("br"));
    place.replaceChildren(paragraph);
  }
  if (!node || !isCollapsed) return;
  if (node === place || !node.isConnected) select(place.children[Math.min(offset, place.children.length - 1)], 0);
  else select(node, offset);
}
