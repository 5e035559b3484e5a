// A map in the plane: pan and scale. Points are (x, y), with all of them within [-1, 1].

export class PlaneView {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.scale = 1;
  }

  prepare(first, second) {
    const table = new Float64Array(2 * first.length);
    for (let i = 0; i < first.length; i++) { table[2 * i] = first[i]; table[2 * i + 1] = second[i]; }
    return table;
  }

  project(table, out) {
    for (let j = 0; j < out.length; j += 2) {
      out[j] = (table[j] - this.x) * this.scale;
      out[j + 1] = (table[j + 1] - this.y) * this.scale;
    }
    return out;
  }

  projectOne([x, y]) {
    return [(x - this.x) * this.scale, (y - this.y) * this.scale];
  }

  pan(from, to) {
    this.x -= (to[0] - from[0]) / this.scale;
    this.y -= (to[1] - from[1]) / this.scale;
  }

  translate(x, y) {
    this.pan([x, y], [0, 0]);
  }

  zoom(at, step) {
    const before = this.scale;
    this.scale = Math.min(Math.max(before * Math.exp(step), 1), 1e5);
    const moved = 1 / before - 1 / this.scale;
    this.x += at[0] * moved;
    this.y += at[1] * moved;
    if (this.scale === 1) { this.x = 0; this.y = 0; }
  }

  flight([x, y]) {
    const [fromX, fromY, from] = [this.x, this.y, this.scale], to = Math.max(from, 4);
    return (t) => {
      this.x = fromX + (x - fromX) * t;
      this.y = fromY + (y - fromY) * t;
      this.scale = from * (to / from) ** t;
    };
  }

  query() {
    return `first=${this.x}&second=${this.y}&scale=${this.scale}`;
  }

  sees([x, y]) {
    return Math.abs(x) < 1 && Math.abs(y) < 1;
  }

  segment([ax, ay], [bx, by]) {
    return `M${ax.toFixed(5)} ${ay.toFixed(5)}L${bx.toFixed(5)} ${by.toFixed(5)}`;
  }
}
