"use strict";
// tabs: without this script both parts stand one below the other
const parts = ["health", "hours"].map((name) => document.getElementById(`part-${name}`));
function showPart() {
  const chosen = location.hash.startsWith("#hours") ? "hours" : "health";
  for (const part of parts) part.hidden = part.id !== `part-${chosen}`;
  for (const link of document.querySelectorAll("[data-tab]")) {
    if (link.dataset.tab === chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const region of document.querySelectorAll(".scroll")) region.scrollLeft = region.scrollWidth;
}
addEventListener("hashchange", showPart);

// the assets that match, in order; what is chosen is part of the address: #health?state=failed
const assets = document.getElementById("assets");
const before = {
  "": (a, b) => a.dataset.name.localeCompare(b.dataset.name),
  state: (a, b) => b.dataset.rank - a.dataset.rank,
  loaded: (a, b) => a.dataset.loaded.localeCompare(b.dataset.loaded),
  rows: (a, b) => b.dataset.rows - a.dataset.rows,
};
function showAssets() {
  const { q, state, api, sort } = Object.fromEntries(new FormData(assets));
  let matches = 0;
  for (const section of document.querySelectorAll("section.api")) {
    const rows = [...section.querySelectorAll("tr.asset")];
    rows.sort((a, b) => before[sort](a, b) || before[""](a, b));
    for (const row of rows) {
      const text = `${row.dataset.name} ${row.dataset.owners}`.toLowerCase();
      row.hidden = !text.includes(q.toLowerCase()) || (state && row.dataset.state !== state);
      row.parentElement.append(row);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    section.hidden = !shown || (api && section.dataset.api !== api);
    if (!section.hidden) matches += shown;
  }
  document.getElementById("matches").textContent = matches === 1 ? "1 asset" : `${matches} assets`;
}
function readAddress() {
  const [part, query] = location.hash.split("?");
  if (part !== "#health" || query === undefined) return;
  for (const [name, value] of new URLSearchParams(query)) if (assets.elements[name]) assets.elements[name].value = value;
  showAssets();
}
function writeAddress() {
  const query = new URLSearchParams([...new FormData(assets)].filter(([, value]) => value));
  history.replaceState(null, "", `#health${query.size ? `?${query}` : ""}`);
  showAssets();
}
assets.hidden = false;
assets.addEventListener("input", writeAddress);
assets.addEventListener("reset", () => setTimeout(writeAddress));
assets.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", readAddress);
showAssets();
readAddress();

const source = document.getElementById("hours-data");
if (source) {
  const tables = JSON.parse(source.textContent);
  const form = document.getElementById("filters");
  const dimensions = ["person", "project", "customer"];
  const MOST = 50;
  const SVG = "http://www.w3.org/2000/svg";
  const format = (hours) => hours.toLocaleString("en", { maximumFractionDigits: 1 });

  // text only, never markup: names come from APIs
  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function chooseTable() {
    const table = tables[form.elements.table.value];
    for (const dimension of dimensions) {
      const select = form.elements[dimension];
      const names = table.names[dimension];
      select.replaceChildren(make("option", "all", { value: "" }));
      select.parentElement.hidden = !names;
      (names || [])
        .map((name, index) => [name, index])
        .sort((a, b) => a[0].localeCompare(b[0]))
        .forEach(([name, index]) => select.append(make("option", name, { value: index })));
    }
    showHours();
  }

  function showHours() {
    const table = tables[form.elements.table.value];
    const known = dimensions.filter((dimension) => table.names[dimension]);
    const from = form.elements.from.value;
    const to = form.elements.to.value;
    // a week is shown if a day of it lies in the range
    const sunday = (week) => new Date(Date.parse(week) + 6 * 864e5).toISOString().slice(0, 10);
    const inRange = table.weeks.map((week) => (!from || sunday(week) >= from) && (!to || week <= to));
    const byWeek = table.weeks.map(() => 0);
    const by = Object.fromEntries(known.map((dimension) => [dimension, new Map()]));
    let total = 0;
    for (const row of table.sums) {
      if (!inRange[row[0]]) continue;
      if (known.some((d, i) => form.elements[d].value !== "" && Number(form.elements[d].value) !== row[i + 1])) continue;
      const hours = row[row.length - 1];
      total += hours;
      byWeek[row[0]] += hours;
      known.forEach((d, i) => by[d].set(row[i + 1], (by[d].get(row[i + 1]) || 0) + hours));
    }
    document.getElementById("total").textContent = `${format(total)} hours`;
    const weeks = table.weeks.map((week, i) => [week, byWeek[i]]).filter((_, i) => inRange[i]);
    document.getElementById("weeks").replaceChildren(columns(weeks));
    document.getElementById("weeks-table").replaceChildren(bars("Week of", [...weeks].reverse()));
    document.getElementById("breakdowns").replaceChildren(
      ...known.map((dimension) => {
        const rows = [...by[dimension]].map(([index, hours]) => [table.names[dimension][index], hours]);
        rows.sort((a, b) => b[1] - a[1]);
        const rest = rows.slice(MOST);
        const shown = rows.slice(0, MOST);
        if (rest.length) shown.push([`${rest.length} others`, rest.reduce((sum, row) => sum + row[1], 0)]);
        return bars(dimension[0].toUpperCase() + dimension.slice(1), shown);
      }),
    );
    const region = document.getElementById("weeks");
    region.scrollLeft = region.scrollWidth;
  }

  function bars(title, rows) {
    const most = Math.max(...rows.map((row) => row[1]), 0.01);
    const table = make("table", undefined, { class: "figures bars" });
    const head = make("tr");
    head.append(make("th", title, { scope: "col" }), make("th", "Hours", { scope: "col", class: "n" }), make("td"));
    const top = make("thead");
    top.append(head);
    table.append(top);
    for (const [name, hours] of rows) {
      const row = make("tr");
      const place = make("td");
      const bar = make("div", undefined, { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${(100 * hours) / most}%`;
      place.append(bar);
      row.append(make("td", name), make("td", format(hours), { class: "n" }), place);
      table.append(row);
    }
    return table;
  }

  function columns(weeks) {
    const step = Math.max(12, Math.min(48, 1000 / Math.max(weeks.length, 1)));
    const [height, width] = [170, weeks.length * step + 44];
    const most = Math.max(...weeks.map((week) => week[1]), 0.01);
    const draw = (tag, attributes, text) => {
      const element = document.createElementNS(SVG, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      if (text !== undefined) element.textContent = text;
      return element;
    };
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Hours by week; the figures are in the table below" });
    svg.style.width = `${width}px`;
    for (const share of [0, 0.5, 1]) {
      const y = 140 - 120 * share;
      svg.append(draw("path", { d: `M0 ${y}H${width - 44}`, class: "line" }));
      // at the right: what is wider than the screen is shown from its end
      svg.append(draw("text", { x: width - 40, y: y + 4 }, format(Math.round(most * share))));
    }
    const every = Math.ceil(64 / step);
    weeks.forEach(([week, hours], i) => {
      const x = 2 + i * step;
      const column = draw("rect", { x, y: 140 - (120 * hours) / most, width: step - 3, height: (120 * hours) / most, class: "column" });
      column.append(draw("title", {}, `Week of ${week}: ${format(hours)} hours`));
      svg.append(column);
      if (i % every === 0 && x + 64 < width) svg.append(draw("text", { x, y: 158 }, week));
    });
    return svg;
  }

  form.addEventListener("input", (event) => (event.target.name === "table" ? chooseTable() : showHours()));
  form.addEventListener("reset", () => setTimeout(chooseTable));
  form.addEventListener("submit", (event) => event.preventDefault());
  chooseTable();
}

// a served page reloads itself: what was chosen and opened stays, by name, as numbers may change
const KEPT = "health-report";
const filters = document.getElementById("filters");
const details = [...document.querySelectorAll("details")];
addEventListener("pagehide", () => {
  const fields = filters ? [...filters.elements].filter((field) => field.name) : [];
  const chosen = fields.map((field) => [field.name, field.options ? field.selectedOptions[0]?.text : field.value]);
  sessionStorage.setItem(KEPT, JSON.stringify({ chosen, opened: details.map((element) => element.open) }));
});
const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
for (const [name, value] of kept.chosen || []) {
  const field = filters?.elements[name];
  const option = [...(field?.options || [])].find((one) => one.text === value);
  if (option) option.selected = true;
  else if (field && !field.options) field.value = value;
  field?.dispatchEvent(new Event("input", { bubbles: true }));
}
if (kept.opened?.length === details.length) details.forEach((element, i) => (element.open = kept.opened[i]));
showPart();
