"use strict";
// Draws how reliable a classifier is, how sure, and its rows by two features that the reader chooses.
(() => {
  const choice = { x: 0, y: report.features.length > 1 ? 1 : 0 };

  colouring.plane = () => {
    const colours = isDark() ? report.palette.dark : report.palette.light;
    return { palette: report.classes.map((_, c) => colours[c % colours.length]) };
  };

  function listRows() {
    const { numbers, columns, classes, wrong } = report.rows;
    const shown = report.features.length > 1 ? [choice.x, choice.y] : [choice.x];
    const tell = (i) => [report.classes[classes[i]], ...shown.map((j) => `${report.features[j]} ${columns[j][i]}`)].join(", ");
    return numbers.map((row, i) => ({ x: columns[choice.x][i], y: place(i), c: report.classes[classes[i]], w: wrong[i], tip: `${row}: ${tell(i)}` }));
  }

  // One feature alone is spread over the height, so that rows do not hide each other.
  function place(i) {
    return report.features.length > 1 ? report.rows.columns[choice.y][i] : (i * 0.6180339887) % 1;
  }

  async function drawPlane() {
    const spec = structuredClone(report.specs.plane);
    const [{ encoding }] = spec.layer;
    encoding.x.axis.title = report.features[choice.x];
    if (report.features.length > 1) encoding.y.axis.title = report.features[choice.y];
    else encoding.y.axis = null;
    await draw("plane", spec, { rows: listRows() });
    views.plane.description("Rows by two features, in the colours of their classes; crosses got another class.");
  }

  function listen() {
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
    await draw("reliability", report.specs.reliability, { bins: report.bins });
    views.reliability.description("The share of right rows by the probability that was said; the dashed line is honest.");
    await draw("sureness", report.specs.sureness, { counts: report.counts });
    views.sureness.description("How many rows have a most probable class of which probability.");
    await drawPlane();
    document.documentElement.dataset.ready = "true";
  }

  begin();
})();
