// The command palette: Ctrl+K opens it; arrow keys move between its field and the results.
(() => {
  "use strict";

  const place = () => document.querySelector("[data-palette]");
  const field = () => document.getElementById("palette-field");
  const links = () => [...document.querySelectorAll("#palette-results a")];

  const open = () => {
    if (place() instanceof HTMLDialogElement && !place().open) place().showModal();
    field().focus();
    field().select();
    htmx.trigger(field().form, "palette-opened");
  };
  const move = (by) => {
    const stops = [field(), ...links()];
    const next = stops.indexOf(document.activeElement) + by;
    stops[(next + stops.length) % stops.length].focus();
  };
  const pressed = (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    if (!event.target.closest?.("[data-palette]") || event.isComposing) return;
    event.stopPropagation();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) move(by);
    else if (event.key === "Enter" && event.target === field() && links().length) links()[0].click();
    else return;
    event.preventDefault();
  };

  document.addEventListener("keydown", pressed, true);
  addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-palette-open]").addEventListener("click", (event) => { event.preventDefault(); open(); });
    place().addEventListener("click", (event) => { if (event.target === place() && place().close) place().close(); });
  });
})();
