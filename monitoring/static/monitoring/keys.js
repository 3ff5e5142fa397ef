// Keyboard shortcuts, listed from the navigation's links.
(() => {
  "use strict";

  const SEQUENCE_MS = 1500; // from `g` to the letter of a page
  const TEXT = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";
  const SEARCH = "main form[role=search] input[type=text], main form[role=search] input[type=search]";

  let goesSince = -Infinity;
  const areOn = () => localStorage.getItem("keys") !== "off";
  const dialog = () => document.getElementById("keys");

  const open = () => {
    const table = dialog().querySelector("[data-key-pages]");
    table.replaceChildren(...[...document.querySelectorAll("nav a[data-key]")].map((link) => {
      const row = document.getElementById("key-page").content.cloneNode(true);
      row.querySelector("[data-letter]").textContent = link.dataset.key;
      row.querySelector("[data-page]").textContent = link.textContent.trim();
      return row;
    }));
    dialog().querySelector("[data-keys-on]").checked = areOn();
    dialog().showModal();
  };
  const focusSearch = () => {
    const field = document.querySelector(SEARCH);
    field?.focus();
    field?.select();
    return Boolean(field);
  };
  const goTo = (letter) => {
    const link = document.querySelector(`nav a[data-key="${CSS.escape(letter)}"]`);
    link?.click();
    return Boolean(link);
  };
  const isAnswered = ({ key, timeStamp }) => {
    const isSecond = timeStamp - goesSince < SEQUENCE_MS;
    goesSince = key === "g" && !isSecond ? timeStamp : -Infinity;
    if (isSecond) return goTo(key);
    if (key === "?") open();
    return key === "?" || (key === "/" && focusSearch());
  };
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !areOn()) return;
    if (dialog().open || event.target.closest?.(TEXT)) return;
    if (isAnswered(event)) event.preventDefault();
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-keys-open]").addEventListener("click", open);
    dialog().querySelector("[data-keys-on]").addEventListener("change", ({ target }) => localStorage.setItem("keys", target.checked ? "on" : "off"));
    dialog().addEventListener("click", (event) => { if (event.target === dialog()) dialog().close(); });
    document.addEventListener("keydown", pressed);
  });
})();
