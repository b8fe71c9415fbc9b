"""The script that walks over the cells of a heat map by keyboard, and the looks of its frame.

Arrow keys move a frame, Home and End go to the ends of a row, Enter is a click; where it stands
is read out in the words that hovering shows.
"""

CSS = """
.lazylab-chart { position: relative; }
.lazylab-chart[tabindex]:focus-visible { outline: 2px solid var(--st-primary-color);
  outline-offset: 2px; border-radius: 4px; }
.lazylab-frame { position: absolute; pointer-events: none; box-sizing: border-box; z-index: 2;
  border: 3px solid #fff; outline: 2px solid #000; }
.lazylab-said { position: absolute; width: 1px; height: 1px; overflow: hidden; margin: 0;
  clip-path: inset(50%); white-space: nowrap; }
"""

SCRIPT = r"""
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0],
  Home: [0, -Infinity], End: [0, Infinity] };
const HELP = "Arrow keys move over the cells";

// Return the columns of all heat maps of words: each the number of its trace and of itself.
const columns = (data) => data.flatMap(({ type, text }, curve) =>
  type === "heatmap" && Array.isArray(text?.[0]) ? text[0].map((_, k) => [curve, k]) : []);

// Return where a cell lies on the chart, in pixels.
const place = (chart, curve, row, column) => {
  const { x, y } = chart.calcdata[curve][0], { xaxis, yaxis } = chart._fullData[curve];
  const [across, up] = [xaxis, yaxis].map((name) =>
    chart._fullLayout[name[0] + "axis" + name.slice(1)]);
  const ends = (axis, edges, k) => [edges[k], edges[k + 1]]
    .map((edge) => Math.min(Math.max(axis.c2p(edge), 0), axis._length) + axis._offset)
    .sort((a, b) => a - b);
  return [...ends(across, x, column), ...ends(up, y, row)];
};

const frame = (chart) => {
  const { lazylabCell: cell, data } = chart;
  const found = cell && columns(data)[cell[1]];
  let mark = chart.querySelector(".lazylab-frame");
  if (!found || cell[0] >= data[found[0]].text.length) { mark?.remove(); return; }
  if (!mark) {
    mark = document.createElement("div");
    mark.className = "lazylab-frame";
    chart.append(mark);
  }
  const [left, right, top, bottom] = place(chart, found[0], cell[0], found[1]);
  Object.assign(mark.style, { left: `${left}px`, top: `${top}px`,
    width: `${right - left}px`, height: `${bottom - top}px` });
};

// Let the keys walk over the map; `choose` hears of the cell that Enter is pressed on.
const walk = (chart, said, choose) => {
  const all = columns(chart.data);
  if (!all.length) return;
  chart.tabIndex = 0;
  chart.setAttribute("role", "application");
  chart.setAttribute("aria-roledescription", "map");
  const help = choose ? `${HELP}, Enter chooses one.` : `${HELP}.`;
  chart.setAttribute("aria-label", `${chart.layout.meta.alt} ${help}`);
  frame(chart);
  chart.onkeydown = (event) => {
    const [curve] = all[0], rows = chart.data[curve].text.length;
    if (event.key === "Enter" && chart.lazylabCell) {
      const [row, column] = chart.lazylabCell;
      choose?.([row, all[column][1]]);
    } else if (event.key === "Escape") {
      chart.lazylabCell = undefined;
      said.textContent = "";
      frame(chart);
    } else if (STEPS[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
      const step = STEPS[event.key], [row, column] = chart.lazylabCell ?? [0, 0];
      const within = (k, count) => Math.min(Math.max(k, 0), count - 1);
      const moved = chart.lazylabCell ? step : [0, 0];
      chart.lazylabCell = [within(row + moved[0], rows), within(column + moved[1], all.length)];
      frame(chart);
      const [at, k] = all[chart.lazylabCell[1]];
      const words = chart.data[at].text[chart.lazylabCell[0]][k];
      said.textContent = words.replace(/<br>/g, ", ").replace(/<[^>]*>/g, "");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
};
"""
