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

// what is chosen is part of the address: #health?state=failed, #hours?by=week
function queryOf(part) {
  const [chosen, query] = location.hash.split("?");
  return chosen === `#${part}` && query !== undefined ? new URLSearchParams(query) : undefined;
}
function writeQuery(part, query) {
  const address = `#${part}${query.size ? `?${query}` : ""}`;
  history.replaceState(null, "", address);
  // so that it is still there after a look at the other part
  document.querySelector(`[data-tab="${part}"]`).setAttribute("href", address);
}

// the assets that match, in order
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
  const query = queryOf("health");
  if (!query) return;
  for (const [name, value] of query) if (assets.elements[name]) assets.elements[name].value = value;
  showAssets();
}
function writeAddress() {
  writeQuery("health", new URLSearchParams([...new FormData(assets)].filter(([, value]) => value)));
  showAssets();
}
assets.hidden = false;
assets.addEventListener("input", writeAddress);
assets.addEventListener("reset", () => setTimeout(writeAddress));
assets.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", readAddress);
showAssets();
readAddress();

// a served page reloads itself: what was opened stays, if the page is still made of the same parts
const KEPT = "health-report";
const details = [...document.querySelectorAll("details")];
addEventListener("pagehide", () => {
  sessionStorage.setItem(KEPT, JSON.stringify(details.map((element) => element.open)));
});
const kept = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
if (kept.length === details.length) details.forEach((element, i) => (element.open = kept[i]));
showPart();

