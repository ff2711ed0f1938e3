/** Builds and reconciles elements. Text only ever goes in as text. */

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = new URL("../icons.svg", import.meta.url).pathname;

/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Attribute */
/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Builds an element. `onclick` and the like take listeners; null, undefined and false leave an attribute out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Attribute>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, Attribute>} attributes
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  append(element, children);
  return /** @type {SVGElement} */ (element);
}

/**
 * @param {Element} element
 * @param {Record<string, Attribute>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * @param {Element} element
 * @param {(Child | Child[])[]} children
 */
function append(element, children) {
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/**
 * Draws a symbol of the sprite.
 *
 * @param {string} name
 * @param {string} [className]
 */
export function icon(name, className = "icon") {
  return svg("svg", { class: className, "aria-hidden": "true" }, svg("use", { href: `${SPRITE}#${name}` }));
}

/** @param {string} text */
export function hidden(text) {
  return h("span", { class: "visually-hidden" }, text);
}

/**
 * Sets or removes an attribute only when that changes something, so that screen readers are not told twice.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function attribute(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/**
 * @param {Node} node
 * @param {string} value
 */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** @type {WeakMap<Element, { key: string, signature: string }>} */
const drawn = new WeakMap();

/**
 * @typedef {object} Piece
 * @property {string} key
 * @property {string} signature the element is rebuilt only when this changes
 * @property {() => Element} build
 */

/**
 * Makes the children of `parent` the pieces, keeping every element whose signature is unchanged, and the focus: a
 * control of a rebuilt element is found again by its `data-focus`.
 *
 * @param {Element} parent
 * @param {Piece[]} pieces
 */
export function reconcile(parent, pieces) {
  const focused = document.activeElement;
  const inside = focused instanceof HTMLElement && parent.contains(focused) ? focused : null;
  /** @type {Map<string, Element>} */
  const old = new Map();
  for (const child of parent.children) {
    const mark = drawn.get(child);
    if (mark) old.set(mark.key, child);
    else child.remove();
  }
  /** @type {Element | null} */
  let refocus = inside;
  let place = parent.firstElementChild;
  for (const piece of pieces) {
    const existing = old.get(piece.key);
    old.delete(piece.key);
    if (existing && drawn.get(existing)?.signature === piece.signature) {
      if (existing === place) place = place.nextElementSibling;
      else parent.insertBefore(existing, place);
      continue;
    }
    const element = piece.build();
    drawn.set(element, { key: piece.key, signature: piece.signature });
    if (existing) {
      if (inside && existing.contains(inside)) refocus = twin(element, inside);
      if (existing === place) place = place.nextElementSibling;
      existing.remove();
    }
    parent.insertBefore(element, place);
  }
  for (const gone of old.values()) gone.remove();
  if (refocus instanceof HTMLElement && refocus.isConnected && document.activeElement !== refocus) {
    refocus.focus({ preventScroll: true });
  }
}

/**
 * @param {Element} element
 * @param {HTMLElement} control
 */
function twin(element, control) {
  const name = control.dataset.focus;
  return name === undefined ? null : element.querySelector(`[data-focus="${CSS.escape(name)}"]`);
}
