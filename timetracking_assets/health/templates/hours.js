// the hours: sums of the model, filtered and grouped here; what is chosen is part of the address
const hoursData = document.getElementById("hours-data");
if (hoursData) {
  const data = JSON.parse(hoursData.textContent);
  const form = document.getElementById("filters");
  const DIMENSIONS = ["person", "project", "client", "source"];
  const MOST = 60;
  const SVG = "http://www.w3.org/2000/svg";
  const DAY = 864e5;
  const iso = (time) => new Date(time).toISOString().slice(0, 10);
  // weeks are known by their Mondays
  const monday = (day) => iso(Date.parse(day) - ((new Date(day).getUTCDay() + 6) % 7) * DAY);
  const figure = (value) => value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const count = (value) => value.toLocaleString("en");
  const hours = (seconds) => figure(seconds / 3600);
  const share = (part, whole) => (whole ? `${Math.round((100 * part) / whole)}%` : "");
  let all = false;

  // text only, never markup: names come from APIs
  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  // a dimension's number for what is chosen: undefined for all, -1 for what isn't in the data
  const chosen = (dimension) => {
    const key = form.elements[dimension].value;
    return key ? data.names[dimension].findIndex((pair) => pair[0] === key) : undefined;
  };

  function selected() {
    const { from, to } = Object.fromEntries(new FormData(form));
    const inRange = data.weeks.map((week) => (!from || week >= monday(from)) && (!to || week <= to));
    const filters = DIMENSIONS.map(chosen);
    const ofEntries = filters.slice(1).some((number) => number !== undefined);
    const days = data.days
      .filter((row) => inRange[row[0]] && (filters[0] === undefined || filters[0] === row[1]))
      .map(([week, person, planned, absent, available, worked, billable, missing, due]) => ({
        week, person, planned, absent, available, worked, billable, missing, due,
      }));
    const work = data.work
      .filter((row) => inRange[row[0]] && filters.every((number, i) => number === undefined || number === row[i + 1]))
      .map(([week, person, project, client, source, worked, billable, currency, amount]) => ({
        week, person, project, client, source, worked, billable, currency, amount,
      }));
    return { days, work, ofEntries, weeks: data.weeks.filter((_, number) => inRange[number]) };
  }

  const OF_DAYS = ["planned", "absent", "available", "worked", "billable", "missing", "due"];
  function group(rows, key, names) {
    const lines = new Map();
    for (const row of rows) {
      const id = key(row);
      if (!lines.has(id)) lines.set(id, { ...names(row), ...Object.fromEntries(OF_DAYS.map((name) => [name, 0])), amounts: new Map() });
      const line = lines.get(id);
      for (const name of OF_DAYS) line[name] += row[name] || 0;
      if (row.amount) line.amounts.set(row.currency, (line.amounts.get(row.currency) || 0) + row.amount);
    }
    return [...lines.values()];
  }

  const byName = (a, b) => b.week - a.week || a.label.localeCompare(b.label, "en");
  const utilisation = (line) => (line.available ? line.billable / line.available : Infinity);
  const ORDERS = {
    worked: (a, b) => b.worked - a.worked || byName(a, b),
    week: (a, b) => b.week - a.week || ORDERS.worked(a, b),
    name: (a, b) => a.label.localeCompare(b.label, "en") || b.week - a.week,
    missing: (a, b) => b.missing - a.missing || byName(a, b),
    utilisation: (a, b) => utilisation(a) - utilisation(b) || byName(a, b),
  };

  function showHours() {
    const [of, perWeek] = form.elements.by.value.split("-");
    const { days, work, ofEntries, weeks } = selected();
    const people = !ofEntries && (of === "person" || of === "week");
    const label = (row) => (of === "week" ? data.weeks[row.week] : data.names[of][row[of]][1]);
    const lines = group(
      people ? days : work,
      (row) => `${of === "week" ? "" : row[of]} ${perWeek || of === "week" ? row.week : ""}`,
      (row) => ({ label: label(row), week: perWeek || of === "week" ? row.week : 0 }),
    );
    lines.sort(ORDERS[form.elements.sort.value || (of === "week" || perWeek ? "week" : "worked")]);
    const [total] = group(people ? days : work, () => "", () => ({}));
    const span = weeks.length ? `Weeks of ${weeks[0]} to ${weeks[weeks.length - 1]}. ` : "";
    const known = people ? "" : "Planned, absent and available hours are known by person and week, not by project, client or source.";
    document.getElementById("range").textContent = total ? span + known : "No hours match.";
    document.getElementById("totals").replaceChildren(...(total ? tiles(total, people) : []));
    document.getElementById("lines").replaceChildren(...(total ? table(of, perWeek, lines, total, people) : []));
    showWeeks(weeks, group(ofEntries ? work : days, (row) => row.week, (row) => ({ monday: data.weeks[row.week] })), !ofEntries);
  }

  function tiles(total, people) {
    const pairs = [["Worked", `${hours(total.worked)} h`], ["Billable", `${hours(total.billable)} h`]];
    if (people) {
      pairs.unshift(["Planned", `${hours(total.planned)} h`], ["Absent", `${hours(total.absent)} h`], ["Available", `${hours(total.available)} h`]);
      pairs.push(["Utilisation: billable of available", share(total.billable, total.available) || "none available"]);
    }
    pairs.push(["Billable of worked", share(total.billable, total.worked) || "none worked"]);
    if (people) {
      const until = data.lastDue ? ` up to ${data.lastDue.replaceAll("-", "\u2011")}` : "";
      pairs.push([`Missing timesheets: days without hours, of ${count(total.due)} working days${until}`, count(total.missing)]);
    } else if (total.amounts.size) pairs.push(["Amount", money(total)]);
    return pairs.map(([name, value]) => {
      const tile = make("div");
      tile.append(make("dt", name), make("dd", value));
      return tile;
    });
  }

  const money = (line) => [...line.amounts].map(([currency, amount]) => `${figure(amount)} ${data.currencies[currency]}`).join(", ");

  function table(of, perWeek, lines, total, people) {
    const columns = [["Worked", (line) => hours(line.worked)], ["Billable", (line) => hours(line.billable)]];
    if (people) {
      columns.unshift(
        ["Planned", (line) => hours(line.planned)],
        ["Absent", (line) => hours(line.absent)],
        ["Available", (line) => hours(line.available)],
      );
      columns.push(["Billable of available", (line) => share(line.billable, line.available)]);
    }
    columns.push(["Billable of worked", (line) => share(line.billable, line.worked)]);
    if (people) columns.push(["Days without hours / due", (line) => (line.due ? `${count(line.missing)}/${count(line.due)}` : "")]);
    else columns.push(["Amount", money]);
    const element = make("table", undefined, { class: "figures hours" });
    const head = make("tr");
    head.append(make("th", of === "week" ? "Week of" : of[0].toUpperCase() + of.slice(1), { scope: "col" }));
    if (perWeek) head.append(make("th", "Week of", { scope: "col" }));
    for (const [name] of columns) head.append(make("th", name, { scope: "col", class: "n" }));
    element.append(make("thead"), make("tbody"), make("tfoot"));
    element.tHead.append(head);
    const add = (section, line, name, week) => {
      const row = make("tr");
      row.append(make("th", name, { scope: "row" }));
      if (perWeek) row.append(make("td", week, { "data-label": "Week of" }));
      for (const [title, text] of columns) row.append(make("td", text(line), { class: "n", "data-label": title }));
      section.append(row);
    };
    const shown = all ? lines : lines.slice(0, MOST);
    for (const line of shown) add(element.tBodies[0], line, line.label, data.weeks[line.week]);
    add(element.tFoot, total, `All ${count(lines.length)}`, "");
    if (shown.length === lines.length) return [element];
    const button = make("button", `Show all ${count(lines.length)} lines`, { type: "button" });
    button.addEventListener("click", () => {
      all = true;
      showHours();
    });
    return [element, button];
  }

  function draw(tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // the top of an axis, in seconds: 1 to 10 times a power of ten hours
  function round(seconds) {
    const power = 10 ** Math.floor(Math.log10(seconds / 3600));
    return 3600 * power * [1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10].find((times) => times * power * 3600 >= seconds);
  }

  function showWeeks(weeks, lines, people) {
    const region = document.getElementById("weeks");
    const series = people ? ["worked", "billable", "available", "planned"] : ["worked", "billable"];
    document.getElementById("legend").replaceChildren(
      ...series.map((name) => {
        const entry = make("span");
        entry.append(make("i", "", { class: `swatch ${name}` }), name);
        return entry;
      }),
    );
    const byWeek = new Map(lines.map((line) => [line.monday, line]));
    const room = Math.max(region.clientWidth || 1000, 300);
    const [height, base, axis] = [184, 160, 60];
    const step = Math.max(7, Math.min(48, (room - axis - 8) / Math.max(weeks.length, 1)));
    const width = Math.max(weeks.length * step + axis, 120);
    const most = round(Math.max(...lines.flatMap((line) => series.map((name) => line[name])), 3600));
    const y = (seconds) => base - (140 * seconds) / most;
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Hours by week; choose to show by week for the figures" });
    svg.style.width = `${width}px`;
    for (const part of [0, 0.5, 1]) {
      svg.append(draw("path", { d: `M0 ${y(most * part)}H${width - axis}`, class: "line" }));
      // at the right: what is wider than the screen is shown from its end
      svg.append(draw("text", { x: width - axis + 5, y: y(most * part) + 4 }, `${count((most * part) / 3600)} h`));
    }
    const every = Math.ceil(80 / step);
    const paths = { available: "", planned: "" };
    let next = -1;
    weeks.forEach((week, i) => {
      const x = i * step;
      const line = byWeek.get(week);
      if (line) {
        const text = series.map((name) => `${name} ${hours(line[name])}`).join(", ");
        for (const name of ["worked", "billable"]) {
          svg.append(draw("rect", { x: x + 1.5, y: y(line[name]), width: step - 3, height: base - y(line[name]), class: name }));
        }
        for (const name of Object.keys(paths)) paths[name] += `${i === next ? "L" : "M"}${x} ${y(line[name])}h${step}`;
        next = i + 1;
        // over the columns, so that a pointer anywhere in the week meets it
        const area = draw("rect", { x, y: 0, width: step, height: base, class: "area" });
        area.append(draw("title", {}, `Week of ${week}: ${text}`));
        svg.append(area);
      }
      if (i % every === 0 && x + 70 < width) svg.append(draw("text", { x, y: 178 }, week));
    });
    if (people) for (const [name, d] of Object.entries(paths)) svg.insertBefore(draw("path", { d, class: name }), svg.querySelector(".area"));
    region.replaceChildren(svg);
    region.scrollLeft = region.scrollWidth;
  }

  function reset() {
    form.elements.by.value = "person";
    form.elements.sort.value = "";
    for (const dimension of DIMENSIONS) {
      const names = data.names[dimension].slice().sort((a, b) => a[1].localeCompare(b[1], "en"));
      form.elements[dimension].replaceChildren(
        make("option", "all", { value: "" }),
        ...names.map(([key, name]) => make("option", name, { value: key })),
      );
    }
    form.elements.from.value = "";
    // plans and working days go on for years: unless a later week is chosen, up to now
    form.elements.to.value = form.dataset.today;
    all = false;
  }

  function readHours() {
    const query = queryOf("hours");
    if (!query) return;
    reset();
    for (const [name, value] of query) {
      const field = form.elements[name];
      if (!field) continue;
      if (DIMENSIONS.includes(name) && ![...field.options].some((option) => option.value === value)) {
        field.append(make("option", `${value} (not in the data)`, { value }));
      }
      field.value = value;
    }
    showHours();
  }

  function writeHours() {
    const defaults = { by: "person", to: form.dataset.today };
    const query = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== (defaults[name] || "")));
    writeQuery("hours", query);
    showHours();
  }

  form.addEventListener("input", () => {
    all = false;
    writeHours();
  });
  form.addEventListener("reset", () => setTimeout(() => (reset(), writeHours())));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", readHours);
  let width = 0;
  new ResizeObserver(([entry]) => {
    // also when the part is shown: what is hidden has no width
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    if (width) showHours();
  }).observe(document.getElementById("weeks"));
  reset();
  showHours();
  readHours();
}
