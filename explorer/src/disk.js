// The Poincaré disk. A point is (radius, angle); radii are hyperbolic, so points near the rim keep their places: a point
// is stored as s = 1 - tanh(r / 2) and its unit direction, and moved without subtracting nearly equal numbers.

const gap = (radius) => 2 / (Math.exp(radius) + 1);

export class DiskView {
  constructor() {
    this.radius = 0; // of the point in the middle
    this.angle = 0;
    this.turn = 0; // of the picture after the translation
  }

  // Prepare (radius, angle) pairs for `project`.
  prepare(first, second) {
    const n = first.length, table = new Float64Array(3 * n);
    for (let i = 0; i < n; i++) {
      table[3 * i] = gap(first[i]);
      table[3 * i + 1] = Math.cos(second[i]);
      table[3 * i + 2] = Math.sin(second[i]);
    }
    return table;
  }

  // Write the places of prepared points in the view, z -> e^{i turn} (z - c) / (1 - conj(c) z), as x, y.
  project(table, out) {
    const sc = gap(this.radius), tc = 1 - sc, cx = Math.cos(this.angle), cy = Math.sin(this.angle);
    const px = Math.cos(this.angle + this.turn), py = Math.sin(this.angle + this.turn);
    for (let i = 0, j = 0; j < out.length; i += 3, j += 2) {
      const s = table[i], t = 1 - s, ux = table[i + 1], uy = table[i + 2];
      const cos = ux * cx + uy * cy, sin = uy * cx - ux * cy;
      const versine = cos > 0 ? (sin * sin) / (1 + cos) : 1 - cos;
      const re = sc - s - t * versine, im = t * sin;
      const dre = sc + s - sc * s + tc * t * versine, dim = -tc * im;
      const scale = 1 / (dre * dre + dim * dim);
      const x = (re * dre + im * dim) * scale, y = (im * dre - re * dim) * scale;
      out[j] = x * px - y * py;
      out[j + 1] = x * py + y * px;
    }
    return out;
  }

  projectOne([radius, angle]) {
    return this.project(this.prepare([radius], [angle]), new Float64Array(2));
  }

  // Move the view so that the place (x, y) of the picture comes to the middle.
  translate(x, y) {
    const length = Math.hypot(x, y);
    if (length > 0.999) { x *= 0.999 / length; y *= 0.999 / length; }
    const tc = 1 - gap(this.radius), back = -this.turn - this.angle;
    // In a frame where the old middle is (tc, 0), the new one is (w + tc) / (1 + tc w).
    const wx = x * Math.cos(back) - y * Math.sin(back), wy = x * Math.sin(back) + y * Math.cos(back);
    const re = 1 + tc * wx, im = tc * wy, scale = 1 / (re * re + im * im);
    const nx = ((wx + tc) * re + wy * im) * scale, ny = (wy * re - (wx + tc) * im) * scale;
    const rest = gap(this.radius) * (1 + tc) * (1 - wx * wx - wy * wy) * scale; // 1 - |new|^2, exact near the rim
    const norm = Math.hypot(nx, ny);
    this.radius = Math.log(((1 + norm) * (1 + norm)) / rest);
    this.angle += Math.atan2(ny, nx);
    this.turn += 2 * Math.atan2(im, re);
    if (!(this.radius > 1e-9)) { this.radius = 0; this.angle = 0; }
  }

  // Drag the picture from one place to another by the translation w with (a - w) / (1 - conj(w) a) = b.
  pan(from, to) {
    const [ax, ay] = clipped(from), [bx, by] = clipped(to), dx = ax - bx, dy = ay - by;
    const px = ax * bx - ay * by, py = ax * by + ay * bx, scale = 1 / (1 - px * px - py * py);
    this.translate((dx + px * dx + py * dy) * scale, (dy + py * dx - px * dy) * scale);
  }

  // Move towards the pointer (step > 0), or back towards the centre of the disk.
  zoom(at, step) {
    if (step > 0) {
      const length = Math.hypot(...at), go = Math.tanh(step / 2) * Math.min(1, 4 * length);
      if (length > 1e-6) this.translate((at[0] / length) * go, (at[1] / length) * go);
    } else {
      const [x, y] = this.projectOne([0, 0]), length = Math.hypot(x, y);
      if (length > 1e-9) this.translate(...[x, y].map((v) => (v / length) * Math.min(length, Math.tanh(-step / 2))));
    }
  }

  // Return a function of t in (0, 1] that moves the view along the geodesic to a point.
  flight([radius, angle]) {
    let done = 0;
    return (t) => {
      const [x, y] = this.projectOne([radius, angle]), length = Math.hypot(x, y);
      if (length > 1e-9) {
        const away = 2 * Math.atanh(Math.min(length, 1 - 1e-12)), go = Math.tanh((away * (t - done)) / (1 - done) / 2);
        this.translate((x / length) * go, (y / length) * go);
      }
      done = t;
      if (t === 1) { this.radius = radius; this.angle = angle; }
    };
  }

  query() {
    return `first=${this.radius}&second=${this.angle}`;
  }

  // Whether a place is drawn, and the path of a segment between two places.
  sees([x, y]) {
    return x * x + y * y < 0.9998;
  }

  segment([ax, ay], [bx, by]) {
    const det = ax * by - ay * bx;
    const start = `M${ax.toFixed(5)} ${ay.toFixed(5)}`, end = `${bx.toFixed(5)} ${by.toFixed(5)}`;
    if (Math.abs(det) < 1e-4) return `${start}L${end}`;
    const a = (ax * ax + ay * ay + 1) / 2, b = (bx * bx + by * by + 1) / 2;
    const qx = (a * by - b * ay) / det, qy = (ax * b - bx * a) / det, size = Math.sqrt(Math.max(qx * qx + qy * qy - 1, 0));
    const sweep = (ax - qx) * (by - qy) - (ay - qy) * (bx - qx) > 0 ? 1 : 0;
    return `${start}A${size.toFixed(5)} ${size.toFixed(5)} 0 0 ${sweep} ${end}`;
  }
}

function clipped([x, y]) {
  const length = Math.hypot(x, y);
  return length < 0.97 ? [x, y] : [(x * 0.97) / length, (y * 0.97) / length];
}
