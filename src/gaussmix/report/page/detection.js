"use strict";
// Shows the reasons of one row at a time: by a click on it, in the table or in the plane.
(() => {
  const choice = { row: 0, x: 0, y: report.features.length > 1 ? 1 : 0 };
  const places = new Map(report.rows.numbers.map((number, i) => [number, i]));
  const lines = () => [...find("listed").rows];

  // A text as a cell of a table.
  const cell = (text) => make("td", {}, text);

  function listReasons(row) {
    const bars = row.features.map(({ name, value, expected, typical, contribution }) => ({ name: `${name}  ${value}`, v: contribution, note: `expected ${expected}, typical ${typical}` }));
    if (row.others) bars.push({ name: `${row.others[0]} others`, v: row.others[1], note: "" });
    return bars;
  }

  function listRows() {
    const { numbers, columns, anomalous } = report.rows;
    const shown = report.features.length > 1 ? [choice.x, choice.y] : [choice.x];
    const tell = (i) => shown.map((j) => `${report.features[j]} ${columns[j][i]}`).join(", ");
    return numbers.map((row, i) => ({ row, x: columns[choice.x][i], y: place(i), a: anomalous[i], tip: `${row}: ${tell(i)}` }));
  }

  // One feature alone is spread over the height, so that rows do not hide each other.
  function place(i) {
    return report.features.length > 1 ? report.rows.columns[choice.y][i] : (i * 0.6180339887) % 1;
  }

  function listChosen() {
    const i = places.get(report.listed[choice.row].number);
    return i === undefined ? [] : [{ x: report.rows.columns[choice.x][i], y: place(i) }];
  }

  async function drawPlane() {
    const spec = structuredClone(report.specs.plane);
    const names = [report.features[choice.x], report.features.length > 1 ? report.features[choice.y] : null];
    for (const layer of spec.layer) {
      layer.encoding.x.axis.title = names[0];
      if (names[1] === null) layer.encoding.y.axis = null;
      else layer.encoding.y.axis.title = names[1];
    }
    await draw("plane", spec, { rows: listRows(), chosen: listChosen() });
    views.plane.description("Rows by two features; anomalies are larger. The table of rows has the numbers.");
    views.plane.addEventListener("click", (_, item) => {
      const index = report.listed.findIndex((row) => row.number === item?.datum?.row);
      if (index >= 0) choose(index);
    });
  }

  function showFeatures(row) {
    const rows = row.features.map(({ name, value, expected, typical, neighbour, contribution }) => make(
      "tr", {}, make("th", { scope: "row", class: "name" }, name),
      ...[value, expected, typical, neighbour, String(Number(contribution.toPrecision(3)))].map(cell),
    ));
    find("feature-table").replaceChildren(...rows);
  }

  async function showReasons(row) {
    const bars = listReasons(row), spec = { ...report.specs.reasons, height: 60 + 22 * bars.length };
    await draw("reasons", spec, { reasons: bars });
    views.reasons.description(`What each feature contributes to row ${row.number}; the table below has the numbers.`);
  }

  async function choose(index) {
    choice.row = index;
    const row = report.listed[index];
    lines().forEach((line, i) => {
      line.classList.toggle("hovered", i === index);
      line.querySelector("button").setAttribute("aria-pressed", i === index);
    });
    find("detail-title").textContent = `Why row ${row.number}?`;
    const near = row.neighbour ? ` The nearest normal row of the fit is ${row.neighbour[0]}, ${row.neighbour[1]} standard deviations away.` : "";
    find("detail-facts").textContent = `${row.anomalous ? "An anomaly" : "No anomaly"}: ${row.deficit} nats below the centre of component ${row.component}. Reasons: ${row.reasons.join("; ") || "none"}.${near}`;
    showFeatures(row);
    put("plane", "chosen", listChosen());
    views.plane?.runAsync();
    await showReasons(row);
  }

  function listen() {
    lines().forEach((line, i) => line.addEventListener("click", () => choose(i)));
    for (const axis of ["x", "y"]) {
      find(`${axis}-feature`)?.addEventListener("change", (event) => {
        choice[axis] = Number(event.target.value);
        drawPlane();
      });
    }
    for (const query of ["(prefers-color-scheme: dark)", "print"])
      matchMedia(query).addEventListener("change", () => Object.keys(views).forEach(paint));
    listenToCopying();
  }

  async function begin() {
    listen();
    await choose(0);
    await draw("histogram", report.specs.histogram, { bars: report.bars, threshold: [{ t: report.threshold }] });
    views.histogram.description("How many rows have which score; the dashed line is the threshold.");
    await drawPlane();
    document.documentElement.dataset.ready = "true";
  }

  begin();
})();
