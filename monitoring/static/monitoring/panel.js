// Loaded in the head, before the first paint: sets the theme at once, the rest after parsing.
(() => {
  "use strict";

  const system = matchMedia("(prefers-color-scheme: dark)");

  const chosenTheme = () => localStorage.getItem("theme") ?? "system";
  const paintTheme = () => {
    const chosen = chosenTheme();
    document.documentElement.dataset.bsTheme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
    for (const choice of document.querySelectorAll("input[name=theme]")) choice.checked = choice.value === chosen;
  };
  paintTheme();
  system.addEventListener("change", paintTheme);
  const paintChecklist = () => { document.documentElement.dataset.checklist = localStorage.getItem("checklist") ?? "shown"; };
  paintChecklist();
  addEventListener("beforeprint", () => { document.documentElement.dataset.bsTheme = "light"; });
  addEventListener("afterprint", paintTheme);

  // In the browser's time zone and its language's date format, with 24 hours as in charts and logs.
  const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const TODAY = new Intl.DateTimeFormat(undefined, CLOCK);
  const THIS_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...CLOCK });
  const EARLIER = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", ...CLOCK });
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  // By the server's clock, as the browser's may be wrong.
  const served = document.querySelector("meta[name=server-time]");
  const clockOffset = served ? new Date(served.content) - Date.now() : 0;
  const now = () => Date.now() + clockOffset;

  const MINUTE = 60_000; // beyond it no seconds are shown
  // As wide as two digits, so that nothing moves when it changes.
  const wide = (count) => String(count).padStart(2, "\u2007");
  const length = (ms) => {
    let left = Math.max(0, Math.round(ms / 1000));
    const parts = [];
    for (const [size, unit] of UNITS) {
      const count = Math.floor(left / size);
      left %= size;
      if (count || (unit === "s" && !parts.length)) parts.push(`${unit === "s" || parts.length ? wide(count) : count} ${unit}`);
    }
    return parts.slice(0, 2).join(" ");
  };
  const moment = (at) => {
    const today = new Date(now());
    if (at.toDateString() === today.toDateString()) return TODAY.format(at);
    return (at.getFullYear() === today.getFullYear() ? THIS_YEAR : EARLIER).format(at);
  };
  const SHOW = {
    moment,
    ago: (at) => {
      const past = now() - at;
      return `${length(past < MINUTE ? past : past - (past % MINUTE))} ago`;
    },
    countdown: (at) => length(at - now()),
  };
  const paintTimes = () => {
    for (const time of document.querySelectorAll("time[data-show][datetime]")) {
      const text = SHOW[time.dataset.show](new Date(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const paintZone = () => {
    for (const shown of document.querySelectorAll("[data-zone]")) if (shown.textContent !== zone) shown.textContent = zone;
  };
  // Both are written while the page is parsed, before they are painted, so that nothing moves.
  const whileRead = new MutationObserver(() => { paintTimes(); paintZone(); });
  whileRead.observe(document.documentElement, { childList: true, subtree: true });
  window.panelTime = { now, paint: paintTimes };

  const copy = async (button) => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.querySelector("[data-copy-label]");
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1500);
  };
  const answerClick = (event) => {
    if (event.target.closest("[data-tail-toggle]")) {
      tailMode = isTailPaused() ? "live" : "paused";
      paintTail();
    }
    if (event.target.closest("[data-checklist-dismiss]")) {
      localStorage.setItem("checklist", "dismissed");
      paintChecklist();
    }
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  };

  // A live list pauses while it is scrolled down, or by its button; back at the top it continues.
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
    const live = localStorage.getItem("refresh") === "off" ? "Refresh is off" : "Live";
    const text = tailMode === "paused" ? "Paused" : isTailPaused() ? "Paused while you read" : live;
    const state = document.querySelector("[data-tail-state]");
    if (state.textContent !== text) state.textContent = tail() ? text : "";
  };
  const holdTail = (event) => {
    const isTick = event.detail.requestConfig.triggeringEvent?.type === "tick";
    if (isTick && event.detail.elt.matches("[data-tail]") && isTailPaused()) event.preventDefault();
  };

  // A refresh keeps opened details open, and formatted times as they are.
  const isSameTime = (shown, renewed) => shown.nodeName === "TIME" && renewed.nodeName === "TIME" && shown.dataset.show === renewed.dataset.show && shown.dateTime === renewed.dateTime;
  const keepState = ({ callbacks }) => {
    // It also keeps parts that refresh themselves or are drawn by a script.
    callbacks.beforeNodeMorphed = (shown, renewed) => !isSameTime(shown, renewed) && !(renewed.dataset && "keep" in renewed.dataset);
    callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  };

  addEventListener("DOMContentLoaded", () => {
    whileRead.disconnect();
    document.documentElement.classList.add("is-read");
    paintTheme();
    paintTimes();
    setInterval(paintTimes, 1000);
    document.body.addEventListener("click", answerClick);
    document.body.addEventListener("change", ({ target }) => {
      if (target.name === "theme") localStorage.setItem("theme", target.value);
      paintTheme();
      paintTail();
    });
    paintZone();
    // Times are entered in the zone in which they are shown.
    document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; SameSite=Lax`;
    paintTail();
    addEventListener("scroll", paintTail, { passive: true });
    document.body.addEventListener("htmx:beforeRequest", holdTail);
    document.body.addEventListener("htmx:afterSwap", () => { paintTimes(); paintTail(); });
    if (window.Idiomorph) keepState(Idiomorph.defaults);
  });
})();
