// Loaded in the head, before anything is painted: the theme first, the rest when the page is there.
(() => {
  "use strict";

  const TICK_MS = 1500;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const THEMES = ["system", "light", "dark"];

  const chosenTheme = () => localStorage.getItem("theme") ?? "system";
  const paintTheme = () => {
    const chosen = chosenTheme();
    document.documentElement.dataset.bsTheme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
      button.dataset.next = next;
      button.title = `Theme: ${chosen}. Switch to ${next}`;
      button.setAttribute("aria-label", button.title);
    }
  };
  paintTheme();
  system.addEventListener("change", paintTheme);

  const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const NEAR = new Intl.DateTimeFormat(undefined, CLOCK);
  const FAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...CLOCK });
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  // The server's clock counts: the browser's may be wrong.
  let clockOffset = 0;
  const now = () => Date.now() + clockOffset;

  const length = (ms) => {
    let left = Math.max(0, Math.round(ms / 1000));
    const parts = [];
    for (const [size, unit] of UNITS) {
      const count = Math.floor(left / size);
      left %= size;
      if (count || (unit === "s" && !parts.length)) parts.push(`${count} ${unit}`);
    }
    return parts.slice(0, 2).join(" ");
  };
  const isToday = (at) => at.toDateString() === new Date(now()).toDateString();
  const SHOW = {
    moment: (at) => (isToday(at) ? NEAR : FAR).format(at),
    ago: (at) => `${length(now() - at)} ago`,
    countdown: (at) => length(at - now()),
  };
  const paintTimes = (root = document) => {
    for (const time of root.querySelectorAll("time[data-show]")) {
      const text = SHOW[time.dataset.show](new Date(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  };

  const copy = async (button) => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.querySelector("[data-copy-label]");
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1500);
  };
  const answerClick = (event) => {
    const theme = event.target.closest("[data-theme-toggle]");
    if (theme) {
      localStorage.setItem("theme", theme.dataset.next);
      paintTheme();
    }
    if (event.target.closest("[data-tail-toggle]")) {
      tailMode = isTailPaused() ? "live" : "paused";
      paintTail();
    }
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  };

  // A live list waits while somebody reads further down, or as they say by its button; at the top it decides by itself again.
  let tailMode = "auto";
  const tail = () => document.querySelector("[data-tail]");
  const isRead = () => tail() && tail().getBoundingClientRect().top < 0;
  const isTailPaused = () => tailMode === "paused" || (tailMode === "auto" && isRead());
  const paintTail = () => {
    const button = document.querySelector("[data-tail-toggle]");
    if (!button) return;
    if (tailMode === "live" && !isRead()) tailMode = "auto";
    button.hidden = !tail();
    button.querySelector("[data-tail-label]").textContent = isTailPaused() ? "Continue" : "Pause";
    const words = tailMode === "paused" ? "Paused" : isTailPaused() ? "Paused while you read" : "Live";
    const state = document.querySelector("[data-tail-state]");
    if (state.textContent !== words) state.textContent = tail() ? words : "";
  };
  const holdTail = (event) => {
    const isTick = event.detail.requestConfig.triggeringEvent?.type === "tick";
    if (isTick && event.detail.elt.matches("[data-tail]") && isTailPaused()) event.preventDefault();
  };

  const sayConnection = (isLost) => {
    const notice = document.getElementById("connection");
    if (!notice || notice.hidden === !isLost) return;
    notice.hidden = !isLost;
    notice.querySelector("[data-since]").textContent = NEAR.format(new Date(now()));
  };
  const tick = () => {
    if (!document.hidden) document.body.dispatchEvent(new CustomEvent("tick"));
  };

  addEventListener("DOMContentLoaded", () => {
    const served = document.querySelector("meta[name=server-time]");
    if (served) clockOffset = new Date(served.content) - Date.now();
    paintTheme();
    paintTimes();
    setInterval(paintTimes, 1000);
    setInterval(tick, TICK_MS);
    document.addEventListener("visibilitychange", tick);
    document.body.addEventListener("click", answerClick);
    paintTail();
    addEventListener("scroll", paintTail, { passive: true });
    document.body.addEventListener("htmx:beforeRequest", holdTail);
    document.body.addEventListener("htmx:afterSwap", () => { paintTimes(); paintTail(); });
    document.body.addEventListener("htmx:afterRequest", (event) => sayConnection(!event.detail.successful));
    // A fold that somebody opened stays open when its part is renewed.
    if (window.Idiomorph) Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  });
})();
