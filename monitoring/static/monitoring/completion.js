// Completes the filter line from the list of qualifiers below it. Without this script it is a plain text field.
(() => {
  "use strict";

  const start = (input) => {
    const qualifiers = [...document.getElementById(input.dataset.completes).querySelectorAll("[data-qualifier]")].map((entry) => ({
      name: entry.dataset.qualifier,
      about: entry.querySelector("[data-about]").textContent,
      values: [...entry.querySelectorAll("[data-value]")].map((value) => value.textContent),
    }));
    const list = document.createElement("ul");
    list.id = `${input.id}-options`;
    list.className = "completions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Completions");
    list.hidden = true;
    input.after(list);
    const own = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" };
    for (const [name, value] of Object.entries(own)) input.setAttribute(name, value);
    let active = -1;

    const word = () => input.value.slice(0, input.selectionStart).match(/\S*$/)[0];
    const quoted = (value) => (/^[\w./@*+][\w./@*+-]*$/.test(value) ? value : JSON.stringify(value));
    const offers = () => {
      const [, minus, name, begun] = word().match(/^(-?)(?:(\w+):)?(.*)$/);
      const begins = (text) => text.toLowerCase().startsWith(begun.toLowerCase().replace(/^"/, ""));
      if (name === undefined) {
        return qualifiers.filter((entry) => begins(entry.name)).map((entry) => ({ text: `${minus}${entry.name}:`, about: entry.about }));
      }
      const values = qualifiers.find((entry) => entry.name === name.toLowerCase())?.values ?? [];
      return values.filter((value) => begins(value) && value !== begun).map((value) => ({ text: `${minus}${name}:${quoted(value)} `, about: "" }));
    };
    const mark = (index) => {
      const options = [...list.children];
      active = options.length ? (index + options.length) % options.length : -1;
      options.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
      if (active >= 0) input.setAttribute("aria-activedescendant", options[active].id);
      options[active]?.scrollIntoView({ block: "nearest" });
    };
    const close = () => {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const open = () => {
      list.replaceChildren(...offers().map((offer, at) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${at}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.text = offer.text;
        const code = document.createElement("code");
        code.textContent = offer.text.trim();
        option.append(code, ` ${offer.about}`);
        return option;
      }));
      if (!list.children.length) return close();
      list.hidden = false;
      active = -1;
      input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-expanded", "true");
    };
    const take = (option) => {
      const at = input.selectionStart - word().length;
      input.setRangeText(option.dataset.text, at, input.selectionStart, "end");
      input.focus();
      open();
    };

    input.addEventListener("input", open);
    input.addEventListener("click", open);
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && list.hidden) open();
      if (list.hidden) return;
      if (event.key === "ArrowDown") mark(active + 1);
      else if (event.key === "ArrowUp") mark(active < 0 ? -1 : active - 1);
      else if (event.key === "Escape") close();
      else if (event.key === "Enter" && active >= 0) take(list.children[active]);
      else return event.key === "Enter" ? close() : undefined;
      event.preventDefault();
    });
  };

  addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-completes]").forEach(start));
})();
