"use strict";
// What every page has: its document, elements, pictures in the colours of the theme, and buttons that copy.
// Vega draws all pictures; text goes in by textContent, so that no name can become markup.
const report = JSON.parse(document.getElementById("report").textContent);
const views = {};
// Colours of a picture beside those of the theme, by its name.
const colouring = {};

const find = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function put(name, dataset, values) {
  views[name]?.data(dataset, values);
}

function signal(name, values) {
  const view = views[name];
  if (!view) return;
  for (const [key, value] of Object.entries(values)) view.signal(key, value);
  view.runAsync();
}

const OPTIONS = { actions: { export: true, source: false, compiled: false, editor: false }, mode: "vega-lite", renderer: "canvas" };

async function draw(name, spec, datasets = {}) {
  views[name]?.finalize();
  delete views[name];
  const filled = { ...spec, datasets: { ...spec.datasets, ...datasets } };
  const result = await vegaEmbed(find(name), filled, { ...OPTIONS, downloadFileName: `mixture-${name}` });
  views[name] = result.view;
  paint(name);
}

const isDark = () => matchMedia("screen and (prefers-color-scheme: dark)").matches;

function paint(name) {
  const style = getComputedStyle(document.documentElement);
  const colours = {};
  for (const key of report.theme) colours[key] = style.getPropertyValue(`--${key}`).trim();
  signal(name, { ...colours, ...colouring[name]?.() });
}

async function copy(event) {
  const button = event.currentTarget, text = find(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // where a page from disk may not write to the clipboard, the text is selected for the reader to copy
    getSelection().selectAllChildren(find(button.dataset.copy));
    button.textContent = "Selected";
    return;
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function listenToCopying() {
  for (const button of document.querySelectorAll("button[data-copy]")) button.addEventListener("click", copy);
}
