// How often the live parts are renewed, and what is shown while they can't be.
(() => {
  "use strict";

  const INTERVALS = { live: 1500, 10: 10_000, 60: 60_000, off: 0 }; // ms
  const LONGEST_DELAY_MS = 60_000;
  const LIVE = "[hx-trigger^=tick]";

  let timer = 0;
  let failures = 0;
  let hasFailureOfTick = false; // several parts that fail at the same tick are one failure
  let renewedAt = new Date();
  const failing = new Map(); // the ids of the parts that could not be renewed, with why

  const choice = () => (localStorage.getItem("refresh") in INTERVALS ? localStorage.getItem("refresh") : "live");
  const interval = () => INTERVALS[choice()];
  const delay = () => (interval() && failures ? Math.min(LONGEST_DELAY_MS, 1000 * 2 ** failures) : interval());
  const schedule = () => {
    clearTimeout(timer);
    if (delay()) timer = setTimeout(tick, delay());
  };
  // While the tab is hidden nothing is requested; when it is shown again, at once.
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
    const notice = document.querySelector("[data-stale-words]");
    const reason = [...failing.values()].at(-1) ?? "";
    if (notice.dataset.reason !== reason) {
      notice.dataset.reason = reason;
      notice.replaceChildren(reason ? document.getElementById("stale-words").content.cloneNode(true) : "");
      if (reason) {
        notice.querySelector("time").dateTime = renewedAt.toISOString();
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
      renewedAt = new Date(detail.xhr.getResponseHeader("Date") ?? panelTime.now());
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
    renewedAt = new Date(panelTime.now());
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
