// Draws charts: #charts has the data in data-charts, each canvas names its chart. New data is drawn in place.
(() => {
  "use strict";

  // A custom property may have any CSS colour syntax: one painted pixel converts it to numbers.
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.createElement("span");
  const color = (name, share = 1) => {
    document.body.append(probe);
    probe.style.color = `var(--tblr-${name})`;
    pixel.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${share})`;
  };
  const DAY = 86400;
  const zone = (counts) => (counts.bin >= DAY ? "UTC" : undefined);
  const clock = (counts, fields) => new Intl.DateTimeFormat(undefined, { timeZone: zone(counts), hourCycle: "h23", ...fields });
  const timeLabel = (counts, at) => {
    const fields = counts.bin >= DAY ? { day: "numeric", month: "short" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
    return clock(counts, fields).format(at * 1000);
  };
  const span = (counts, index) => {
    const from = Math.max(counts.from, counts.starts[index]);
    if (counts.bin >= DAY) return counts.bin > DAY ? `Week from ${timeLabel(counts, counts.starts[index])} (UTC)` : `${timeLabel(counts, counts.starts[index])} (UTC day)`;
    return `${timeLabel(counts, from)} to ${clock(counts, { hour: "2-digit", minute: "2-digit" }).format((counts.starts[index] + counts.bin) * 1000)}`;
  };

  const drawn = new Map(); // canvas to { chart, counts, at }
  let text = ""; // the drawn data, as received

  const isEmpty = (sets) => !sets.some((set) => set.values.some(Boolean));
  const dataset = (counts, set, hasNothing) => {
    const paint = color(set.color);
    const data = counts.starts.map((start, index) => ({ x: start + counts.bin / 2, y: hasNothing ? null : set.values[index] }));
    const common = { label: set.name, data, backgroundColor: paint, hoverBackgroundColor: paint, borderColor: paint, yAxisID: set.right ? "right" : "y" };
    if (!set.line) return { type: "bar", order: 1, stack: "bars", categoryPercentage: 1, barPercentage: 0.86, ...common };
    return { type: "line", order: 0, borderWidth: 2, pointRadius: 1.5, pointHitRadius: 8, tension: 0, ...common, ...styles[set.style]?.(set) };
  };
  // Of a line: a value is drawn up to the next one; a range is filled up to the line before it.
  const held = { stepped: true, spanGaps: true, pointRadius: 0 };
  const styles = {
    steps: () => held,
    dashes: () => ({ ...held, borderDash: [5, 4], borderWidth: 1.5 }),
    edge: (set) => ({ ...held, borderWidth: 0, order: 1, backgroundColor: color(set.color, 0.3) }),
    range: (set) => ({ ...held, borderWidth: 0, order: 1, fill: "-1", backgroundColor: color(set.color, 0.15) }),
    marks: () => ({ showLine: false, pointRadius: 4, order: -1 }),
  };
  const annotations = (counts, sets) => {
    // A bar that was paused for a minute only is visible too.
    const shades = Array.from({ length: 11 }, (_, tenth) => color("yellow", 0.08 + 0.03 * tenth)), mark = color("body-color", 0.6);
    const boxes = counts.paused.map(([xMin, xMax, share]) => ({ type: "box", xMin, xMax, backgroundColor: shades[Math.round(10 * share)], borderWidth: 0, drawTime: "beforeDatasetsDraw" }));
    const windows = (counts.maintenance ?? []).map(([xMin, xMax]) => ({ type: "box", xMin, xMax, backgroundColor: color("teal", 0.14), borderColor: color("teal", 0.6), borderWidth: 1, drawTime: "beforeDatasetsDraw" }));
    const lines = counts.marks.map(([at]) => ({ type: "line", xMin: at, xMax: at, borderColor: mark, borderWidth: 1.5, borderDash: [4, 3] }));
    const middle = (counts.starts[0] + counts.starts.at(-1) + counts.bin) / 2;
    const nothing = { type: "label", xValue: middle, yValue: 0.75, content: "Nothing in this time", color: color("secondary"), font: { size: 13 } };
    return [...boxes, ...windows, ...lines, ...(isEmpty(sets) ? [nothing] : [])];
  };
  // At most one label each 80 pixels, at the start of a bar and at round times of the reader's clock, where bars start there.
  const STEPS = [300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 56 * DAY, 112 * DAY, 224 * DAY];
  const ticks = (counts) => (axis) => {
    const least = counts.bin * Math.ceil(counts.starts.length / Math.max(2, axis.width / 80));
    const step = STEPS.find((size) => size >= least && size % counts.bin === 0) ?? least;
    const ahead = counts.bin >= DAY ? 0 : -60 * new Date(counts.starts[0] * 1000).getTimezoneOffset();
    const round = counts.starts.filter((start) => (start + ahead) % step === 0);
    axis.ticks = (round.length ? round : counts.starts.filter((start) => (start - counts.starts[0]) % step === 0)).map((value) => ({ value }));
  };
  const tickLabel = (counts) => (value) => {
    if (counts.bin >= 21600) return clock(counts, { day: "numeric", month: "short" }).format(value * 1000);
    return clock(counts, { hour: "2-digit", minute: "2-digit" }).format(value * 1000);
  };
  const footer = (counts) => (items) => {
    if (!items.length) return "";
    const start = counts.starts[items[0].dataIndex], end = start + counts.bin;
    const paused = counts.paused.reduce((sum, [from, to, share]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)) * share, 0);
    const marks = counts.marks.filter(([at]) => at >= start && at < end).map(([, text]) => text);
    const windows = (counts.maintenance ?? []).filter(([from, to]) => from < end && to > start).map(([, , text]) => text);
    return [...(paused ? [`Paused ${Math.min(100, Math.round(100 * paused / counts.bin))} % of the time`] : []), ...windows, ...marks];
  };

  // As few decimals as make the labels of an axis differ.
  const labels = (unit) => (_, index, all) => {
    const written = (digits) => all.map(({ value }) => value.toLocaleString(undefined, { notation: "compact", maximumFractionDigits: digits }));
    const digits = [0, 1, 2, 3, 4, 5].find((count) => new Set(written(count)).size === all.length) ?? 6;
    return `${written(digits)[index]}${unit}`;
  };
  const AXIS_WIDTH = 48; // of the left axis; the same for all charts, so that bars of the same time are aligned
  const legend = (chart) => Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => ({ ...label, lineWidth: 0 }));

  const options = (counts, canvas, sets) => {
    const ink = color("secondary"), grid = color("border-color"), unit = canvas.dataset.unit;
    const axis = { beginAtZero: true, grid: { color: grid }, border: { display: false }, afterFit: (scale) => { scale.width = AXIS_WIDTH; } };
    const left = unit === "seconds" ? { callback: labels(" s") } : { precision: 0, callback: labels("") };
    const shown = { color: ink, maxTicksLimit: 5 };
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { type: "linear", offset: false, stacked: true, min: counts.starts[0], max: counts.starts.at(-1) + counts.bin, afterBuildTicks: ticks(counts), ticks: { color: ink, autoSkip: false, maxRotation: 0, callback: tickLabel(counts) }, grid: { display: false }, border: { color: grid } },
        y: { ...axis, suggestedMax: 1, ticks: { ...shown, ...left }, stacked: sets.some((set) => !set.line) },
        ...(sets.some((set) => set.right) ? { right: { ...axis, afterFit: undefined, position: "right", suggestedMax: 0.001, ticks: { ...shown, callback: labels("") }, grid: { display: false } } } : {}),
      },
      plugins: {
        annotation: { annotations: annotations(counts, sets) },
        legend: { position: "bottom", align: "start", labels: { color: ink, boxWidth: 8, boxHeight: 8, usePointStyle: true, pointStyle: "circle", generateLabels: legend } },
        tooltip: { callbacks: { label: ({ dataset: set, parsed }) => `${set.label}: ${parsed.y.toLocaleString()}${unit === "seconds" ? " s" : ""}`, title: (items) => (items.length ? span(counts, items[0].dataIndex) : ""), footer: footer(counts) } },
      },
      onClick: (event, _, chart) => {
        const [bar] = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, false);
        const [any] = bar ? [bar] : chart.getElementsAtEventForMode(event, "index", { intersect: false }, false);
        if (any) open(canvas, any.index, bar ? bar.datasetIndex : -1);
      },
    };
  };

  const open = (canvas, index, set) => {
    const { counts } = drawn.get(canvas);
    if (!counts.steps) return;
    const more = counts.charts[canvas.dataset.chart][set]?.steps;
    location.assign(`${document.getElementById("charts").dataset.steps}?q=${encodeURIComponent(`${counts.steps[index]}${more ? ` ${more}` : ""}`)}`);
  };

  const draw = (canvas, counts) => {
    const sets = counts.charts[canvas.dataset.chart];
    const entry = drawn.get(canvas);
    const data = { datasets: sets.map((set) => dataset(counts, set, isEmpty(sets))) };
    if (entry) {
      Object.assign(entry, { counts });
      entry.chart.data = data;
      entry.chart.options = options(counts, canvas, sets);
      entry.chart.update("none");
    } else {
      drawn.set(canvas, { counts, at: -1, chart: new Chart(canvas, { type: "bar", data, options: options(counts, canvas, sets) }) });
      canvas.addEventListener("keydown", (event) => press(canvas, event));
      canvas.addEventListener("blur", () => choose(canvas, -1));
    }
  };

  // The bar chosen by keyboard is shown like the mouse's, and announced.
  const choose = (canvas, at) => {
    const entry = drawn.get(canvas), { chart, counts } = entry;
    entry.at = at;
    const active = at < 0 ? [] : chart.data.datasets.map((_, datasetIndex) => ({ datasetIndex, index: at }));
    chart.setActiveElements(active);
    const { left, right, top } = chart.chartArea;
    chart.tooltip.setActiveElements(active, { x: left + ((right - left) * (at + 0.5)) / counts.starts.length, y: top });
    chart.update("none");
    const values = chart.data.datasets.map((set) => `${set.label} ${set.data[at]?.y ?? "unknown"}`).join(", ");
    canvas.nextElementSibling.textContent = at < 0 ? "" : `${span(counts, at)}: ${values} ${canvas.dataset.unit}`;
  };
  const press = (canvas, event) => {
    const { counts, at } = drawn.get(canvas), last = counts.starts.length - 1;
    const moved = { ArrowRight: Math.min(last, at + 1), ArrowLeft: at < 0 ? last : Math.max(0, at - 1), Home: 0, End: last, Escape: -1 }[event.key];
    if (moved !== undefined) choose(canvas, moved);
    else if (event.key === "Enter" && at >= 0) open(canvas, at, -1);
    else return;
    event.preventDefault();
  };

  const paint = (isForced) => {
    const charts = document.getElementById("charts");
    if (!charts || (!isForced && charts.dataset.charts === text)) return;
    text = charts.dataset.charts;
    const counts = JSON.parse(text);
    for (const canvas of charts.querySelectorAll("canvas[data-chart]")) draw(canvas, counts);
  };

  addEventListener("DOMContentLoaded", () => {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    paint(true);
    document.body.addEventListener("htmx:afterSwap", () => paint(false));
    new MutationObserver(() => paint(true)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  });
})();
