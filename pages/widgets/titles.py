"""The script that breaks the titles of a figure into lines: plotly lets them run out of it."""

SCRIPT = r"""
const BAR = 28;  // pixels of a button of the mode bar
const PEN = document.createElement("canvas").getContext("2d");
const bare = (text) => text.replace(/<[^>]*>/g, "");

// Return the text in lines of at most `width` pixels.
const broken = (text, { size, weight = 400 }, family, width) => {
  PEN.font = `${weight} ${size}px ${family}`;
  const lines = [];
  for (const part of text.split("<br>")) {
    let line = "";
    for (const word of part.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && PEN.measureText(bare(longer)).width > width) { lines.push(line); line = word; }
      else line = longer;
    }
    lines.push(line);
  }
  return lines;
};

// Return what the figure's titles need on a chart this wide; its drawing keeps its height.
const fit = (figure, width, buttons) => {
  const { layout } = figure, { title, font } = layout;
  if (!title?.text || !width) return figure;
  const below = title.subtitle;
  const said = broken(title.text, title.font, font.family, width - buttons * BAR - 8);
  const under = below?.text ? broken(below.text, below.font, font.family, width - 8) : [];
  const extra = Math.ceil(1.3 * ((said.length - 1) * (title.font.size + 6)
    + Math.max(0, under.length - 1) * (below?.font.size ?? 0)));
  title.text = said.join("<br>");
  if (under.length) below.text = under.join("<br>");
  // Plotly hangs the last line, not the first, from the upper edge.
  title.pad.t += Math.round(1.3 * (said.length - 1) * title.font.size);
  layout.margin.t += extra;
  layout.height += extra;
  for (const [name, axis] of Object.entries(layout)) {
    if (!/^[xy]axis/.test(name) || !axis.title?.text) continue;
    const [low, high] = axis.domain ?? [0, 1];
    const plot = name[0] === "y" ? layout.height - layout.margin.t - layout.margin.b
      : width - layout.margin.l - layout.margin.r;
    const room = Math.max(60, (high - low) * plot + (name[0] === "y" ? 16 : 0));
    axis.title.text = broken(axis.title.text, axis.title.font, font.family, room).join("<br>");
  }
  return figure;
};
"""
