"use strict";
// Shows one model at a time: the reader's choices go into `choice`, and `show*` functions put them on the page.
// Vega draws all pictures; text goes in by textContent, so that no name can become markup.
(() => {
  const choice = { model: report.first, threshold: 20, hovered: NOBODY, pinned: NOBODY };
  colouring.figure = () => ({ palette: repeatPalette() });

  function repeatPalette() {
    const colours = isDark() ? report.palette.dark : report.palette.light;
    return Array.from({ length: report.colours }, (_, c) => colours[c % colours.length]);
  }

  function paintAll() {
    Object.keys(views).forEach(paint);
    showComponents();
  }

  // The panels of a figure of pairs share the width that there is; below a least size the figure scrolls.
  function fitFigure(spec) {
    const width = find("figure").clientWidth;
    if (!spec.concat) return { ...spec, height: width < 500 ? 320 : spec.height };
    const side = Math.max(96, Math.min(230, Math.floor((width - 64) / features.length) - 8));
    const config = { ...spec.config, axis: { ...spec.config.axis, titleLimit: side } };
    return { ...spec, config, concat: spec.concat.map((panel) => ({ ...panel, width: side, height: side })) };
  }

  async function drawFigure() {
    await draw("figure", fitFigure(report.specs.figure));
    const view = views.figure;
    view.addEventListener("pointermove", (_, item) => point(item?.datum?.c ?? choice.pinned));
    view.addEventListener("pointerout", () => point(choice.pinned));
    const least = find("figure").clientWidth < 500 ? 30 : 55;
    signal("figure", { pointSize: Math.min(least, Math.max(12, 15000 / report.rows.numbers.length)) });
    showFigure();
  }

  // ---- what a choice changes

  function showFigure() {
    const model = report.models[choice.model];
    if (!model.weights) return;
    put("figure", "rows", listRows(model));
    put("figure", "components", listComponents(model));
    if ("curves" in report.specs.figure.datasets) put("figure", "curves", listCurves(model));
    put("figure", "pointed", []);
    views.figure?.description(`Rows and components of ${nameOf(model)}; the table of components has the numbers.`);
    signal("figure", { threshold: choice.threshold, hovered: choice.hovered });
    put("trace", "trace", listTrace(model));
    views.trace?.description(`Mean log-likelihood of ${nameOf(model)} after each of ${model.iterations} iterations.`);
    views.trace?.runAsync();
    find("trace-part").hidden = model.trace.length === 0;
    put("doubts", "doubts", countDoubts(model));
    views.doubts?.description(`How many rows are more uncertain than each threshold, for ${nameOf(model)}.`);
    signal("doubts", { threshold: choice.threshold });
    signal("scores", { family: model.family, number: model.k });
  }

  function showFacts() {
    const model = report.models[choice.model];
    find("model-name").textContent = nameOf(model);
    find("meaning").textContent = `${model.family}: ${model.meaning}`;
    const facts = model.facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    find("facts").replaceChildren(...facts);
    find("notes").replaceChildren(...model.notes.map((note) => make("p", {}, note)));
    find("details").hidden = !model.weights;
    find("announcement").textContent = `Now shown: ${nameOf(model)}`;
  }

  // As many decimals as the smallest deviation needs.
  function writeColumn(means, deviations) {
    const least = Math.min(...deviations.filter((s) => s > 0)), digits = Math.max(0, 2 - Math.floor(Math.log10(least)));
    const long = !Number.isFinite(least) || digits > 6 || Math.max(...means.map(Math.abs)) >= 1e7;
    const write = (value, precision) => (long ? String(Number(value.toPrecision(precision))) : value.toFixed(digits));
    return means.map((mean, c) => [write(mean, 7), write(deviations[c], 3)]);
  }

  function showComponents() {
    const model = report.models[choice.model];
    if (!model.weights) return;
    const { labels, sureness } = readMemberships(model);
    const counts = new Map(), doubtful = new Map();
    labels.forEach((label, i) => {
      if (sureness[i] === LEFT_OUT) return;
      counts.set(label, (counts.get(label) ?? 0) + 1);
      if (sureness[i] > choice.threshold) doubtful.set(label, (doubtful.get(label) ?? 0) + 1);
    });
    const columns = features.map((_, j) => writeColumn(model.means.map((m) => m[j]), model.deviations.map((s) => s[j])));
    const rows = model.weights.map((weight, c) => describeComponent(model, c, weight, columns, counts, doubtful));
    if (model.noise !== null) rows.push(describeNoise(model, counts, doubtful));
    find("components").replaceChildren(...rows);
    find("errors-note").textContent = model.errorsNote ?? "";
    showHovered();
  }

  function describeComponent(model, c, weight, columns, counts, doubtful) {
    const errors = model.errors;
    const number = make("button", { type: "button", class: "component", "aria-pressed": choice.pinned === c }, String(c));
    number.style.setProperty("--colour", repeatPalette()[c]);
    number.setAttribute("aria-label", `Component ${c}: point it out in the pictures`);
    number.addEventListener("click", () => pin(c));
    number.addEventListener("focus", () => point(c));
    number.addEventListener("blur", () => point(choice.pinned));
    const cells = columns.map((column, j) => {
      const cell = make("td", {}, column[c][0], make("span", { class: "spread" }, ` ± ${column[c][1]}`));
      if (errors) cell.append(make("span", { class: "error" }, `s.e. ${writeError(errors.means[c][j])}`));
      return cell;
    });
    const share = make("td", {}, weight.toFixed(4));
    if (errors) share.append(make("span", { class: "error" }, `s.e. ${writeError(errors.weights[c])}`));
    const tallies = [counts, doubtful].map((tally) => make("td", {}, (tally.get(c) ?? 0).toLocaleString("en")));
    const row = make("tr", { "data-component": c }, make("th", { scope: "row" }, number), share, ...tallies, ...cells);
    row.addEventListener("pointerenter", () => point(c));
    row.addEventListener("pointerleave", () => point(choice.pinned));
    return row;
  }

  const writeError = (error) => (error === null ? "–" : String(Number(error.toPrecision(2))));

  function describeNoise(model, counts, doubtful) {
    const empty = make("td", { colspan: features.length, class: "quiet" }, "the same density everywhere");
    const tallies = [counts, doubtful].map((tally) => make("td", {}, (tally.get(NOISE) ?? 0).toLocaleString("en")));
    return make("tr", { "data-component": NOISE }, make("th", { scope: "row" }, "noise"), make("td", {}, model.noise.toFixed(4)), ...tallies, empty);
  }

  function showDoubts() {
    const model = report.models[choice.model], t = choice.threshold;
    if (!model.weights) return;
    const sureness = readMemberships(model).sureness;
    const left = sureness.filter((u) => u === LEFT_OUT).length, n = sureness.length - left;
    const above = sureness.filter((u) => u > t && u <= 100).length, share = n ? (100 * above) / n : 0;
    const count = (number) => number.toLocaleString("en");
    const rows = report.rows.complete ? `${count(above)} of ${count(n)} rows` : `${count(above)} of the ${count(n)} rows sampled here`;
    const all = report.rows.complete ? "" : `, so about ${count(Number(((report.rows.total * share) / 100).toPrecision(2)))} of all ${count(report.rows.total)}`;
    const out = left ? ` ${count(left)} that the fit left out (crosses) are not counted.` : "";
    const none = `None of the ${count(n)} rows has an uncertainty over ${t} %: the most probable component of each has ${100 - t} % or more.`;
    find("doubtful").textContent = above === 0 && report.rows.complete ? none + out : `${rows} (${share.toFixed(1)} %)${all} have an uncertainty over ${t} %: even their most probable component has less than ${100 - t} %.${out}`;
    find("threshold-value").textContent = `${t} %`;
    find("threshold").setAttribute("aria-valuetext", `${t} percent, ${count(above)} rows`);
  }

  function showWorst() {
    const model = report.models[choice.model];
    if (!model.weights) return;
    const rows = model.worst.map(([number, density, place, uncertainty, leftOut]) => {
      const values = report.rows.listed[number];
      const button = make("button", { type: "button", class: "row-number", "aria-label": `Row ${number}: point it out in the pictures` }, String(number));
      const record = { row: number, jitter: (Math.max(0, report.rows.numbers.indexOf(number)) * 0.6180339887) % 1 };
      values.forEach((value, j) => { record[`f${j}`] = value; });
      const ring = (on) => { put("figure", "pointed", on ? [record] : []); views.figure?.runAsync(); };
      button.addEventListener("focus", () => ring(true));
      button.addEventListener("blur", () => ring(false));
      const what = leftOut ? "left out" : nameLabel(labelOf(model, place));
      const cells = [density, what, `${(100 * uncertainty).toFixed(1)} %`, ...values].map((value) => make("td", {}, String(value)));
      const row = make("tr", {}, make("th", { scope: "row" }, button), ...cells);
      row.addEventListener("pointerenter", () => ring(true));
      row.addEventListener("pointerleave", () => ring(false));
      return row;
    });
    find("worst").replaceChildren(...rows);
    const few = model.searched < report.rows.total;
    find("searched").textContent = few ? ` Looked for among a sample of ${model.searched.toLocaleString("en")} rows.` : "";
  }

  function point(component) {
    if (component === choice.hovered) return;
    choice.hovered = component;
    signal("figure", { hovered: component });
    showHovered();
  }

  function pin(component) {
    choice.pinned = choice.pinned === component ? NOBODY : component;
    point(choice.pinned);
    for (const button of document.querySelectorAll("button.component"))
      button.setAttribute("aria-pressed", Number(button.textContent) === choice.pinned);
  }

  function showHovered() {
    for (const row of find("components").children)
      row.classList.toggle("hovered", Number(row.dataset.component) === choice.hovered);
  }

  function choose(index) {
    choice.model = index;
    choice.hovered = choice.pinned = NOBODY;
    for (const cell of cells()) {
      cell.setAttribute("aria-pressed", Number(cell.dataset.model) === index);
      cell.tabIndex = Number(cell.dataset.model) === index ? 0 : -1;
    }
    showFacts();
    showComponents();
    showDoubts();
    showWorst();
    showFigure();
  }

  function setThreshold(value) {
    choice.threshold = Number(value);
    showDoubts();
    showComponents();
    signal("figure", { threshold: choice.threshold });
    signal("doubts", { threshold: choice.threshold });
  }

  // ---- the grid by mouse and keyboard

  const cells = () => document.querySelectorAll("#grid button");

  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

  function moveFocus(event) {
    const cell = event.target.closest("button");
    if (!cell) return;
    const row = cell.closest("tr"), column = cell.closest("td").cellIndex;
    let target = null;
    if (event.key in steps) {
      const [down, right] = steps[event.key];
      target = row.parentElement.rows[row.sectionRowIndex + down]?.cells[column + right];
    } else if (event.key === "Home") target = row.cells[1];
    else if (event.key === "End") target = row.cells[row.cells.length - 1];
    const next = target?.querySelector("button");
    if (event.key in steps || next) event.preventDefault();
    if (!next) return;
    for (const other of cells()) other.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function listen() {
    for (const cell of cells()) cell.addEventListener("click", () => choose(Number(cell.dataset.model)));
    find("grid").addEventListener("keydown", moveFocus);
    find("threshold").addEventListener("input", (event) => setThreshold(event.target.value));
    listenToCopying();
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", paintAll);
    if (report.specs.figure.concat) {
      let timer, width = find("figure").clientWidth;
      new ResizeObserver(() => {
        if (find("figure").clientWidth === width) return;
        width = find("figure").clientWidth;
        clearTimeout(timer);
        timer = setTimeout(drawFigure, 200);
      }).observe(find("figure"));
    }
  }

  async function begin() {
    listen();
    choose(choice.model);
    const scores = listScores();
    if (scores.length > 1) {
      await draw("scores", report.specs.scores, { scores });
      views.scores.description("The criterion by number of components, a line for each family; the table has the numbers.");
      views.scores.addEventListener("click", (_, item) => { if (item?.datum?.at !== undefined) choose(item.datum.at); });
    }
    const model = report.models[choice.model];
    await draw("doubts", report.specs.doubts, { doubts: countDoubts(model) });
    await draw("trace", report.specs.trace, { trace: listTrace(model) });
    await drawFigure();
    document.documentElement.dataset.ready = "true";
  }

  begin();
})();
