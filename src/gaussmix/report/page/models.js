"use strict";
// What the page knows of models: the rows, components and curves that pictures and tables are made of.
const NOISE = -1, NOBODY = -9, LEFT_OUT = 101;
const features = report.features;

function decode(text, wide) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return wide ? new Uint16Array(bytes.buffer) : bytes;
}

const nameOf = (model) => `${model.family} with ${model.k} component${model.k === 1 ? "" : "s"}`;
const labelOf = (model, place) => (place === model.k ? NOISE : place);
const nameLabel = (label) => (label === NOISE ? "noise" : String(label));

// The component and the uncertainty in percent, rounded up, of each row in the page.
function readMemberships(model) {
  if (!model.memberships) {
    const labels = decode(model.labels, model.k > 255);
    model.memberships = { labels: Array.from(labels, (place) => labelOf(model, place)), sureness: decode(model.sureness, false) };
  }
  return model.memberships;
}

function listRows(model) {
  const { labels, sureness } = readMemberships(model);
  return report.rows.numbers.map((row, i) => {
    const out = sureness[i] === LEFT_OUT;
    const record = { row, c: out ? NOISE : labels[i], u: sureness[i], label: nameLabel(labels[i]) };
    record.sureness = out ? "left out of the fit" : `at most ${sureness[i]} %`;
    record.jitter = (i * 0.6180339887) % 1;
    features.forEach((_, j) => { record[`f${j}`] = report.rows.columns[j][i]; });
    return record;
  });
}

function listComponents(model) {
  return model.weights.map((weight, c) => {
    const record = { c, weight, dashed: c >= report.palette.light.length };
    let pair = 0;
    features.forEach((_, j) => {
      record[`m${j}`] = model.means[c][j];
      record[`s${j}`] = model.deviations[c][j];
      for (let i = 0; i < j; i++) record[`r${j}${i}`] = model.correlations[c][pair++];
    });
    if (features.length === 1) record.peak = Math.min(weigh(model, c, 0, model.means[c][0]), 0.95 * features[0].top);
    return record;
  });
}

// w N(x | m, s^2) of a component in one feature
function weigh(model, c, j, x) {
  const s = model.deviations[c][j], z = (x - model.means[c][j]) / s;
  return (model.weights[c] * Math.exp(-0.5 * z * z)) / (s * Math.sqrt(2 * Math.PI));
}

// Densities in each feature, on a grid that is fine enough for the narrowest component.
function listCurves(model) {
  const records = [];
  features.forEach(({ low, high }, j) => {
    const grid = Array.from({ length: 161 }, (_, i) => low + ((high - low) * i) / 160);
    model.means.forEach((means, c) => {
      for (let z = -4; z <= 4; z += 0.25) grid.push(means[j] + z * model.deviations[c][j]);
    });
    const inside = grid.filter((x) => x >= low && x <= high).sort((a, b) => a - b);
    const noise = model.noiseDensity ?? 0;
    for (const x of inside) {
      let total = noise;
      model.weights.forEach((_, c) => {
        const y = weigh(model, c, j, x);
        total += y;
        records.push({ f: j, c, x, y, dashed: c >= report.palette.light.length });
      });
      if (noise > 0) records.push({ f: j, c: NOISE, x, y: noise, dashed: true });
      if (model.weights.length > 1 || noise > 0) records.push({ f: j, c: NOBODY, x, y: total });
    }
  });
  return records;
}

const listTrace = (model) => model.trace.map(([i, v]) => ({ i, v }));

function listScores() {
  const records = report.models.map(({ family, k, score }, at) => ({ f: family, k, v: score, at }));
  return records.filter((record) => record.v !== null);
}

function countDoubts(model) {
  const at = new Array(102).fill(0);
  for (const u of readMemberships(model).sureness) at[u]++;
  let above = readMemberships(model).sureness.length - at[LEFT_OUT];
  return Array.from({ length: 101 }, (_, t) => ({ t, n: (above -= at[t]) }));
}
