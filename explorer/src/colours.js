// Colours of a column: the largest classes get one each, numbers a scale.

const PALETTE = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#6a994e", "#bc4749", "#386fa4"];
const SCALE = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
const OTHER = "#b9b9b9";

const channels = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

// The legend of a column of `meta.columns`: [colour, text] pairs.
export function legend(column) {
  if (column.kind === "class")
    return [...column.classes.slice(0, PALETTE.length).map((name, at) => [PALETTE[at], name]), [OTHER, "other or none"]];
  return SCALE.map((colour, at) => [colour, short(column.low + ((column.high - column.low) * at) / (SCALE.length - 1))]);
}

export const short = (value) => (Number.isInteger(value) ? String(value) : Number(value).toPrecision(4));

// Colours of (n,) values: numbers of classes, or numbers; below 0 or NaN is "other".
export function paint(column, values) {
  const bytes = new Uint8Array(4 * values.length), palette = PALETTE.map(channels), scale = SCALE.map(channels), other = channels(OTHER);
  for (let i = 0; i < values.length; i++) {
    bytes.set(colourOf(values[i]), 4 * i);
    bytes[4 * i + 3] = 255;
  }
  return bytes;

  function colourOf(value) {
    if (Number.isNaN(value) || value === undefined) return other;
    if (column.kind === "class") return palette[value] ?? other;
    const share = (Math.min(Math.max((value - column.low) / (column.high - column.low || 1), 0), 1) * (scale.length - 1));
    const at = Math.min(Math.floor(share), scale.length - 2);
    return scale[at].map((low, c) => Math.round(low + (scale[at + 1][c] - low) * (share - at)));
  }
}
