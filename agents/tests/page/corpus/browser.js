// In the page: what its script may use, what a seed changes, and what is expected of it.

// A press, and what it opens: the content of a template, at the end of the body as portals are.
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const on = (selector, run, event = "click") => all(selector).forEach((one) => one.addEventListener(event, (press) => run(one, press)));
const portal = (selector) => document.body.append(document.querySelector(selector).content.cloneNode(true));
// One that takes the page behind it away, as Radix does.
function modal(selector) {
  all("body > :not(template, script)").forEach((one) => one.setAttribute("aria-hidden", true));
  document.body.style.pointerEvents = "none";
  portal(selector);
  document.body.lastElementChild.style.pointerEvents = "auto";
}

const KEEP_TOGETHER = "ul,ol,table,thead,tbody,tr,select,label,details,dl,legend,p,h1,h2,h3,h4,a,button,svg,[role=menu],[role=listbox],[role=tablist],[nowrap]";

function dress() {
  for (const list of all("[shuffle]")) {
    for (let turn = 0; turn < seed; turn++) list.append(list.firstElementChild);
    list.removeAttribute("shuffle");
  }
  if (seed % 3) for (const one of all("[expect]")) if (!one.parentElement.matches(KEEP_TOGETHER)) wrap(one, seed % 3 === 1 ? "div" : "span");
  if (seed % 3 === 2) for (const one of all("div[item]")) wrap(one, "div");
  all("[nowrap]").forEach((one) => one.removeAttribute("nowrap"));
}

function wrap(one, tag) {
  const outer = document.createElement(tag);
  outer.className = `css-${(seed * 7919 + all("*").indexOf(one)).toString(36)}`;
  one.replaceWith(outer);
  outer.append(one);
}

const AROUND = ["item", "dialog", "section", "set"];
const OWN = ["expect", "item", "judge", "subject", "loading", "error", "dialog", "section", "set"];
const OPERABLE =
  "a[href],button,input:not([type=hidden]),select,textarea,summary,[contenteditable=true],[onclick]," +
  ["button", "link", "tab", "option", "menuitem", "menuitemradio", "menuitemcheckbox", "checkbox", "radio", "switch", "slider", "combobox"]
    .map((role) => `[role=${role}]`).join();
let marked = [];

// Whether a person can press it: it, what is in it or its label is what lies at its place.
function reached(one) {
  return [one, ...(one.labels || []), ...(one.id ? all(`label[for="${CSS.escape(one.id)}"]`) : [])].some((seen) => {
    const box = seen.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 30));
    return box.width > 0 && hit !== null && (seen.contains(hit) || hit.contains(seen) && hit.matches("a,button,label,[expect]"));
  });
}

// The page in the state that it is about.
function made() {
  dress();
  const presses = all("meta[name=press]").flatMap((one) => one.content.split("; "));
  presses.forEach((selector) => document.querySelector(selector).click());
  return collect();
}

// What is expected of each marked element, in document order; what the expectations lack, by what can be reached.
function collect() {
  const told = (one) => Object.fromEntries(OWN.filter((name) => one.hasAttribute(name)).map((name) => [name, one.getAttribute(name)]));
  const around = (one) => AROUND.map((name) => [name, (name === "item" ? one : one.parentElement)?.closest(`[${name}]`)?.getAttribute(name) ?? ""]);
  const is_there = (one) => one.checkVisibility({ checkVisibilityCSS: true }) && reached(one);
  marked = all(OWN.map((name) => `[${name}]`).join());
  const expectations = marked.map((one) => ({ ...told(one), around: Object.fromEntries(around(one)) }));
  const unreached = marked.map((one) => !reached(one) && one.getAttribute("expect")).filter((told) => told && !told.includes("disabled"));
  const unexpected = all(OPERABLE).filter((one) => !one.closest("[expect]") && is_there(one)).map((one) => one.outerHTML.slice(0, 160));
  all("[corpus]").forEach((one) => one.remove());
  for (const [mark, one] of marked.entries()) {
    OWN.forEach((name) => one.removeAttribute(name));
    one.setAttribute("data-mark", mark);
  }
  const with_marks = document.documentElement.outerHTML;
  marked.forEach((one) => one.removeAttribute("data-mark"));
  return { expectations, unreached, unexpected, with_marks, html: document.documentElement.outerHTML };
}

// The mark of the first element that each selector picks, for a label of its control; null for none of them.
function picked(selectors) {
  return selectors.map((selector) => {
    const path = selector.startsWith("xpath=") && selector.slice(6);
    let one = path
      ? document.evaluate(path, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue
      : document.querySelector(selector);
    if (one?.tagName === "LABEL") one = one.control;
    return marked.includes(one) ? marked.indexOf(one) : null;
  });
}
