
"use strict";
// Small charts without a library: lines in an SVG, bars as elements. What is shown is text or a number.

const SVG = "http://www.w3.org/2000/svg";
const POINTS = 180;  // one a second

// The values of a line, oldest first; null is a gap.
class History {
  constructor() { this.values = []; }
  add(value) {
    this.values.push(Number.isFinite(value) ? value : null);
    if (this.values.length > POINTS) this.values.shift();
  }
  max() { return this.values.reduce((most, v) => (v !== null && v > most ? v : most), 0); }
}

function drawLines(svg, histories) {
  const width = 300, height = 80;
  const top = Math.max(1e-9, ...histories.map((h) => h.max())) * 1.1;
  if (!svg.firstChild) {
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    const half = document.createElementNS(SVG, "line");
    for (const [name, value] of [["x1", 0], ["x2", width], ["y1", height / 2], ["y2", height / 2]])
      half.setAttribute(name, value);
    svg.append(half);
    histories.forEach((_, i) => {
      const path = document.createElementNS(SVG, "path");
      if (i > 0) path.setAttribute("class", "second");
      svg.append(path);
    });
  }
  const paths = svg.querySelectorAll("path");
  histories.forEach((history, i) => {
    let drawn = "", pen = "M";
    const first = POINTS - history.values.length;
    history.values.forEach((value, n) => {
      if (value === null) { pen = "M"; return; }
      const x = ((first + n) / (POINTS - 1)) * width;
      drawn += `${pen}${x.toFixed(1)} ${(height - (value / top) * height).toFixed(1)}`;
      // A single point shows as a dot.
      if (pen === "M") drawn += "h0.01";
      pen = "L";
    });
    paths[i].setAttribute("d", drawn);
  });
}

// `classes` is [{label, count}]; heights are shares of the largest.
function drawBars(box, classes) {
  const most = Math.max(1, ...classes.map((c) => c.count));
  classes.forEach((c, i) => {
    let column = box.children[i];
    if (!column) {
      column = document.createElement("div");
      column.append(document.createElement("i"), document.createElement("span"));
      box.append(column);
    }
    // The label below needs its part.
    column.firstChild.style.height = `${(c.count / most) * 80}%`;
    column.title = `${c.label}: ${c.count}`;
    put(column.lastChild, c.label);
  });
}

// The largest classes are rare, and a phone has no room for them.
const LARGEST = 50;

function showSizes(sizes) {
  const all = sizes.reduce((n, c) => n + c.count, 0);
  const classes = sizes.filter((c) => c.up_to !== null && c.up_to <= LARGEST);
  classes.push({ up_to: null, count: all - classes.reduce((n, c) => n + c.count, 0) });
  put(byId("sizes").querySelector(".latest"), all === 1 ? "1 group so far" : `${number(all)} groups so far`);
  drawBars(byId("sizes").querySelector(".bars"), classes.map((c, i) => {
    const before = i > 0 ? classes[i - 1].up_to : 0;
    const label = c.up_to === null ? `>${before}` : c.up_to - before > 1 ? `≤${c.up_to}` : String(c.up_to);
    return { label, count: c.count };
  }));
}
