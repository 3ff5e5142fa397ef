// Refreshes the live parts, and shows a notice while that fails.
(() => {
  "use strict";

  const INTERVALS = { live: 1500, 10: 10_000, 60: 60_000, off: 0 }; // ms
  const LONGEST_DELAY_MS = 60_000;
  const LIVE = "[hx-trigger^=tick]";

  let timer = 0;
  let failures = 0;
  let hasFailureOfTick = false; // several failures at the same tick count as one
  let refreshedAt = new Date();
  const failing = new Map(); // ids of the parts that could not be refreshed, with the reason

  const choice = () => (localStorage.getItem("refresh") in INTERVALS ? localStorage.getItem("refresh") : "live");
  const interval = () => INTERVALS[choice()];
  const delay = () => (interval() && failures ? Math.min(LONGEST_DELAY_MS, 1000 * 2 ** failures) : interval());
  const schedule = () => {
    clearTimeout(timer);
    if (delay()) timer = setTimeout(tick, delay());
  };
  // A hidden tab requests nothing, and is refreshed when it is shown again.
  const tick = () => {
    hasFailureOfTick = false;
    clearTimeout(timer);
    if (document.hidden) return;
    document.body.dispatchEvent(new CustomEvent("tick"));
    schedule();
  };

  const reasonOf = (status) => {
    if (!status) return "The panel can't be reached.";
    if (status >= 500) return `The panel answers with an error (${status}).`;
    return `The panel no longer serves this (${status}). Reload the page to see why.`;
  };
  const showConnection = () => {
    const notice = document.querySelector("[data-stale-text]");
    const reason = [...failing.values()].at(-1) ?? "";
    if (notice.dataset.reason !== reason) {
      notice.dataset.reason = reason;
      notice.replaceChildren(reason ? document.getElementById("stale-text").content.cloneNode(true) : "");
      if (reason) {
        notice.querySelector("time").dateTime = refreshedAt.toISOString();
        notice.querySelector("[data-why]").textContent = reason;
      }
    }
    document.getElementById("connection").classList.toggle("is-stale", Boolean(reason));
    document.querySelector("[data-stale-more]").hidden = !reason || !document.querySelector(LIVE);
    const retry = document.querySelector("[data-stale-retry]");
    retry.hidden = !delay();
    retry.querySelector("time").dateTime = new Date(panelTime.now() + delay()).toISOString();
    panelTime.paint();
  };
  const handleResponse = ({ detail }) => {
    const { status } = detail.xhr;
    if (status >= 200 && status < 400) {
      failing.delete(detail.target.id);
      refreshedAt = new Date(detail.xhr.getResponseHeader("Date") ?? panelTime.now());
      if (failing.size || !failures) return;
      failures = 0;
      schedule();
    } else {
      failing.set(detail.target.id, reasonOf(status));
      if (!hasFailureOfTick) failures += 1;
      hasFailureOfTick = true;
      schedule();
    }
    showConnection();
  };

  addEventListener("DOMContentLoaded", () => {
    const control = document.querySelector("[data-refresh]");
    refreshedAt = new Date(panelTime.now());
    if (control) control.value = choice();
    control?.addEventListener("change", () => {
      localStorage.setItem("refresh", control.value);
      if (interval()) tick();
      else schedule();
    });
    schedule();
    document.addEventListener("visibilitychange", () => { if (interval()) tick(); });
    addEventListener("online", () => { if (interval()) tick(); });
    document.querySelector("[data-refresh-now]").addEventListener("click", tick);
    document.body.addEventListener("htmx:afterRequest", handleResponse);
  });
})();
