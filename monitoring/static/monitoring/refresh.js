// How often the live parts are renewed, and what is said while they can't be.
(() => {
  "use strict";

  const PACES = { live: 1500, 10: 10_000, 60: 60_000, off: 0 }; // ms
  const LONGEST_WAIT_MS = 60_000;
  const LIVE = "[hx-trigger^=tick]";

  let timer = 0;
  let failures = 0;
  let isCounted = false;
  let goodAt = new Date();
  const failing = new Map(); // the ids of what could not be renewed, with why

  const chosen = () => (localStorage.getItem("refresh") in PACES ? localStorage.getItem("refresh") : "live");
  const pace = () => PACES[chosen()];
  const wait = () => (pace() && failures ? Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures) : pace());
  const schedule = () => {
    clearTimeout(timer);
    if (wait()) timer = setTimeout(tick, wait());
  };
  // While the tab is hidden nothing is asked; when it is shown again, at once.
  const tick = () => {
    isCounted = false;
    clearTimeout(timer);
    if (document.hidden) return;
    document.body.dispatchEvent(new CustomEvent("tick"));
    schedule();
  };

  const why = (status) => {
    if (!status) return panelWords("unreachable");
    if (status >= 500) return panelWords("failing", { status });
    return panelWords("gone", { status });
  };
  const say = () => {
    const words = document.querySelector("[data-stale-words]");
    const reason = [...failing.values()].at(-1) ?? "";
    if (words.dataset.reason !== reason) {
      words.dataset.reason = reason;
      words.replaceChildren(reason ? document.getElementById("stale-words").content.cloneNode(true) : "");
      if (reason) {
        words.querySelector("time").dateTime = goodAt.toISOString();
        words.querySelector("[data-why]").textContent = reason;
      }
    }
    document.getElementById("connection").classList.toggle("is-stale", Boolean(reason));
    document.querySelector("[data-stale-more]").hidden = !reason || !document.querySelector(LIVE);
    const retry = document.querySelector("[data-stale-retry]");
    retry.hidden = !wait();
    retry.querySelector("time").dateTime = new Date(panelTime.now() + wait()).toISOString();
    panelTime.paint();
  };
  const isTold = (status) => status >= 200 && status < 400;
  const heard = ({ detail }) => {
    const { status } = detail.xhr;
    if (isTold(status)) {
      failing.delete(detail.target.id);
      goodAt = new Date(detail.xhr.getResponseHeader("Date") ?? panelTime.now());
      if (failing.size || !failures) return;
      failures = 0;
      schedule();
    } else {
      failing.set(detail.target.id, why(status));
      if (!isCounted) failures += 1;
      isCounted = true;
      schedule();
    }
    say();
  };

  addEventListener("DOMContentLoaded", () => {
    const control = document.querySelector("[data-refresh]");
    goodAt = new Date(panelTime.now());
    if (control) control.value = chosen();
    control?.addEventListener("change", () => {
      localStorage.setItem("refresh", control.value);
      if (pace()) tick();
      else schedule();
    });
    schedule();
    document.addEventListener("visibilitychange", () => { if (pace()) tick(); });
    addEventListener("online", () => { if (pace()) tick(); });
    document.querySelector("[data-refresh-now]").addEventListener("click", tick);
    document.body.addEventListener("htmx:afterRequest", heard);
  });
})();
