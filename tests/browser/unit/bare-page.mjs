/** As much of a page as modules need that draw nothing here: no storage, no other tabs, elements that swallow all. */

const storage = { getItem: () => null, setItem() {}, removeItem() {} };
const element = () => ({ append() {}, remove() {}, setAttribute() {}, addEventListener() {} });

Object.assign(globalThis, {
  document: Object.assign(new EventTarget(), {
    visibilityState: "visible",
    documentElement: { dataset: {} },
    createElement: element,
    createElementNS: element,
  }),
  location: { href: "http://meet.test/r/1", hash: "" },
  localStorage: storage,
  sessionStorage: storage,
  matchMedia: () => ({ matches: false }),
  // Node's would keep the process alive.
  BroadcastChannel: class extends EventTarget {
    postMessage() {}
  },
  addEventListener() {},
});
