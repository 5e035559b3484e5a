// The page: a picture of points with search, selection, neighbours, colours, keyboard and an SVG file.
import { legend, paint, short } from "./colours.js";
import { DiskView } from "./disk.js";
import { Overlay, STYLE } from "./overlay.js";
import { PlaneView } from "./plane.js";
import { PointLayer } from "./points.js";

const NAMES = 28, LINKS = 300, FLIGHT_MS = 700, SETTLE_MS = 180, SLOW_MS = 30;
const PAGE = `<div class="stage" tabindex="0" role="application" aria-label="Picture of the points. Arrows move, plus and minus zoom, P parent, C child, N next sibling, Home the start, slash search, S saves the picture.">
<canvas></canvas><svg class="over" aria-hidden="true"></svg><div class="tip" hidden></div></div>
<div class="panel"><h2></h2><p class="note"></p>
<label>Search <input type="search" placeholder="name" autocomplete="off" spellcheck="false"></label><ol class="found"></ol>
<div class="about" aria-live="polite"></div>
<label>Colour by <select></select></label><ul class="legend"></ul>
<p class="buttons"><button type="button" class="home">Start</button> <button type="button" class="save">Save as SVG</button></p></div>`;

export class Explorer {
  constructor(root, source) {
    this.root = root;
    this.source = source;
    root.classList.add("terrarium-explorer");
    root.innerHTML = PAGE;
    this.part = (selector) => root.querySelector(selector);
    this.names = [];
    this.links = [];
    this.labels = new Map();
    this.selected = null;
  }

  async start() {
    this.meta = await this.source.meta();
    this.isDisk = this.meta.kind === "disk";
    this.view = this.isDisk ? new DiskView() : new PlaneView();
    this.layer = new PointLayer(this.part("canvas"), this.isDisk);
    this.overlay = new Overlay(this.part(".over"), this.view, this.isDisk);
    this.part("h2").textContent = this.meta.title;
    this.part(".note").textContent = this.layer.gl ? this.meta.note : "This browser offers no WebGL 2, so no points are drawn; search and lists work.";
    for (const { name } of this.meta.columns) this.part("select").append(new Option(name, name));
    this.#listen();
    await this.load();
    this.root.dataset.ready = "true";
    return this;
  }

  // Fetch the points that matter in the present view, with the chosen column.
  async load() {
    const chosen = this.meta.columns.find(({ name }) => name === this.part("select").value);
    const asked = (this.asked = {});
    const points = await this.source.points(this.view.query(), chosen?.name ?? "");
    if (asked !== this.asked) return;
    this.points = points;
    this.table = this.view.prepare(points.first, points.second);
    this.places = new Float32Array(2 * points.row.length);
    const crowd = Math.min(3, Math.max(0.6, (20000 / points.row.length) ** 0.25));
    this.sizes = Float32Array.from(points.weight, (weight) => crowd * (2.6 + 1.5 * Math.log10(Math.max(weight, 1))));
    const { weight } = points, order = Uint32Array.from(weight.keys()).sort((a, b) => weight[b] - weight[a]);
    this.layer.set(this.sizes, order);
    this.colours = paint(chosen ?? { kind: "class", classes: [] }, points.value);
    this.layer.paint(this.colours);
    this.part(".legend").replaceChildren(...(chosen ? legend(chosen) : []).map(([colour, text]) => {
      const item = element("li", text), mark = element("span");
      mark.style.background = colour;
      item.prepend(mark);
      return item;
    }));
    this.order = Array.from(order.subarray(0, 20000));
    this.placeOf = new Map(this.order.map((i) => [points.row[i], i]));
    this.draw();
    await this.#label();
  }

  // Draw a frame. Where frames are slow (no graphics card), names and links are left out while the picture moves.
  draw(moving = false) {
    const now = performance.now(), took = now - this.drawn;
    this.drawn = now;
    if (moving && took < 500) this.pace = 0.8 * (this.pace ?? took) + 0.2 * took;
    this.isSlow ||= moving && this.pace > SLOW_MS;
    this.view.project(this.table, this.places);
    this.layer.draw(this.places);
    const over = !(moving && this.isSlow);
    if (over) this.overlay.draw(this.selected, this.names, this.links);
    this.overlay.show(over);
    this.frames = (this.frames ?? 0) + 1;
  }

  // Show a node: its path, children and neighbours; fly there if asked.
  async select(row, fly = true) {
    const node = await this.source.node(row);
    this.selected = node;
    this.part(".found").replaceChildren();
    this.#tell(node);
    if (fly) await this.fly(node.position);
    else this.draw();
    this.root.dataset.selected = String(row);
  }

  fly(position, milliseconds = FLIGHT_MS) {
    const step = this.view.flight(position), begin = performance.now(), own = (this.flying = {});
    return new Promise((done) => {
      const frame = (now) => {
        if (own !== this.flying) return done();
        const t = Math.min(Math.max((now - begin) / milliseconds, 0.02), 1);
        step(t);
        this.draw(t < 1);
        if (t < 1) return requestAnimationFrame(frame);
        this.#moved();
        done();
      };
      requestAnimationFrame(frame);
    });
  }

  // The picture as the text of an SVG file.
  svg() {
    return this.overlay.file(this.places, this.colours, this.sizes, this.meta.title);
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.svg()], { type: "image/svg+xml" }));
    link.download = "terrarium.svg";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // The number of the point nearest to a place, or -1 farther away than some pixels.
  pick([x, y]) {
    let best = -1, least = (14 / this.part(".stage").clientWidth) ** 2 * 4;
    for (let i = 0, j = 0; i < this.sizes.length; i++, j += 2) {
      const dx = this.places[j] - x, dy = this.places[j + 1] - y, away = dx * dx + dy * dy - 1e-6 * this.sizes[i];
      if (away < least) { least = away; best = i; }
    }
    return best;
  }

  #listen() {
    const stage = this.part(".stage"), tip = this.part(".tip"), input = this.part("input");
    let from = null, dragged = false;
    stage.addEventListener("pointerdown", (event) => {
      from = this.#place(event); dragged = false; this.flying = null;
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      const to = this.#place(event);
      if (!from) return this.#hover(to, event, tip);
      if (!dragged && Math.hypot(to[0] - from[0], to[1] - from[1]) < 0.01) return;
      dragged = true;
      this.view.pan(from, to);
      from = to;
      this.#redraw();
    });
    stage.addEventListener("pointerup", (event) => {
      if (from && !dragged) {
        const found = this.pick(this.#place(event));
        if (found >= 0) this.select(this.points.row[found]);
      } else this.#moved();
      from = null;
    });
    stage.addEventListener("pointerleave", () => { tip.hidden = true; });
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.flying = null;
      this.view.zoom(this.#place(event), Math.sign(-event.deltaY) * Math.min(Math.abs(event.deltaY) / 200, 0.6));
      this.#redraw();
      this.#moved();
    }, { passive: false });
    stage.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "/" && event.target !== input) { event.preventDefault(); input.focus(); }
    });
    input.addEventListener("input", () => this.#search(input.value));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#search(input.value).then(() => this.part(".found button")?.click());
      if (event.key === "ArrowDown") this.part(".found button")?.focus();
    });
    this.part("select").addEventListener("change", () => this.load());
    this.part(".home").addEventListener("click", () => this.home());
    this.part(".save").addEventListener("click", () => this.save());
    new ResizeObserver(() => this.points && this.draw()).observe(stage);
  }

  home() {
    Object.assign(this.view, this.isDisk ? new DiskView() : new PlaneView());
    this.flying = null;
    this.draw();
    this.#moved();
  }

  #key(event) {
    const step = 0.12, selected = this.selected;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const acts = {
      "+": () => this.view.zoom(this.isDisk ? this.#ahead() : [0, 0], 0.4),
      "=": () => this.view.zoom(this.isDisk ? this.#ahead() : [0, 0], 0.4),
      "-": () => this.view.zoom([0, 0], -0.4),
      Home: () => this.home(),
      s: () => this.save(),
      p: () => selected?.path[0] && this.select(selected.path[0].row),
      c: () => selected?.children[0] && this.select(selected.children[0].row),
      n: () => this.#sibling(),
      Escape: () => { this.selected = null; this.part(".about").replaceChildren(); delete this.root.dataset.selected; },
    };
    const act = moves[event.key] ? () => this.view.translate(...moves[event.key]) : acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
    this.#redraw();
    this.#moved();
  }

  // Where plus goes without a pointer: to the selected point, or away from the centre of the disk.
  #ahead() {
    if (this.selected) return this.view.projectOne(this.selected.position);
    const [x, y] = this.view.projectOne([0, 0]);
    return Math.hypot(x, y) < 1e-6 ? [1e-3, 0] : [-x, -y];
  }

  async #sibling() {
    const above = this.selected?.path[0];
    if (!above) return;
    const { children } = await this.source.node(above.row);
    const at = children.findIndex(({ row }) => row === this.selected.row);
    if (children.length > 1) await this.select(children[(at + 1) % children.length].row);
  }

  async #search(text) {
    const found = text.trim() ? await this.source.search(text.trim()) : [];
    this.part(".found").replaceChildren(...found.map((entry) => this.#link(entry)));
    this.root.dataset.found = String(found.length);
  }

  async #hover(at, event, tip) {
    const found = this.points ? this.pick(at) : -1;
    this.hovered = found;
    tip.hidden = true;
    if (found < 0) return;
    const [name] = await this.#namesOf([this.points.row[found]]);
    if (this.hovered !== found) return;
    tip.textContent = name;
    tip.style.left = `${event.offsetX + 14}px`;
    tip.style.top = `${event.offsetY + 14}px`;
    tip.hidden = false;
  }

  #tell(node) {
    const list = (title, entries, more = 0) => entries.length
      ? [element("h4", title), element("ol", "", [...entries.map((entry) => this.#link(entry)), ...(more > 0 ? [element("li", `and ${more} more`)] : [])])] : [];
    const values = element("dl", "", node.values.flatMap(([name, value]) => [element("dt", name), element("dd", typeof value === "number" ? short(value) : value)]));
    const picture = node.picture ? [this.#picture(node.picture)] : [];
    this.part(".about").replaceChildren(
      element("h3", node.name), ...picture, values, ...list(`Nearest (${this.meta.distance})`, node.neighbours),
      ...list("Path to the root", node.path), ...list(`Children (${node.child_count})`, node.children, node.child_count - node.children.length),
    );
  }

  #picture(text) {
    const image = element("img");
    image.alt = "the scene from above";
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
    return image;
  }

  #link(entry) {
    const button = element("button", entry.name), item = element("li", "", [button]);
    button.type = "button";
    button.addEventListener("click", () => this.select(entry.row));
    if (entry.distance !== undefined) item.append(` ${short(entry.distance)}`);
    return item;
  }

  #place(event) {
    const box = this.part(".stage").getBoundingClientRect();
    return [((event.clientX - box.left) / box.width * 2 - 1) / 0.96, (1 - (event.clientY - box.top) / box.height * 2) / 0.96];
  }

  #redraw() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = undefined; this.draw(true); });
  }

  // After a movement: better points, where not all are here, and new names.
  #moved() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => (this.points.row.length < this.meta.count ? this.load() : this.#label()), SETTLE_MS);
  }

  // Choose the names and links of the heaviest points that are seen.
  async #label() {
    const seen = [], { row, parent, first, second } = this.points;
    for (const i of this.order) {
      if (this.view.sees([this.places[2 * i], this.places[2 * i + 1]])) seen.push(i);
      if (seen.length === LINKS) break;
    }
    const at = (i) => [first[i], second[i]];
    this.links = seen.filter((i) => this.placeOf.has(parent[i])).map((i) => [at(i), at(this.placeOf.get(parent[i]))]);
    const clear = ([x, y]) => !this.isDisk || x * x + y * y < 0.9;
    const chosen = seen.filter((i) => clear([this.places[2 * i], this.places[2 * i + 1]])).slice(0, NAMES);
    const names = await this.#namesOf(chosen.map((i) => row[i]));
    this.names = chosen.map((i, n) => ({ name: names[n], position: at(i) }));
    this.draw();
  }

  async #namesOf(rows) {
    const missing = rows.filter((row) => !this.labels.has(row));
    if (missing.length) (await this.source.names(missing)).forEach((name, at) => this.labels.set(missing[at], name));
    return rows.map((row) => this.labels.get(row));
  }
}

function element(tag, text = "", children = []) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  return made;
}

export const PAGE_STYLE = `.terrarium-explorer{display:grid;grid-template-columns:minmax(0,1fr) 19rem;gap:1rem;font:14px/1.4 system-ui,sans-serif;color:#1c1c1c}
.terrarium-explorer .stage{position:relative;aspect-ratio:1;max-height:96vh;touch-action:none;cursor:grab;justify-self:center;width:min(100%,96vh)}
.terrarium-explorer .stage:focus-visible{outline:2px solid #4269d0}
.terrarium-explorer canvas,.terrarium-explorer .over{position:absolute;inset:0;width:100%;height:100%}
.terrarium-explorer .over{pointer-events:none;overflow:hidden}
.terrarium-explorer .tip{position:absolute;background:#111;color:#fff;padding:.1rem .45rem;border-radius:.3rem;pointer-events:none;white-space:nowrap;z-index:2}
.terrarium-explorer .panel{overflow-y:auto;max-height:96vh;overflow-wrap:anywhere}
.terrarium-explorer h2{font-size:1.15rem;margin:.3rem 0;border:0}.terrarium-explorer h3{margin:.8rem 0 .3rem}.terrarium-explorer h4{margin:.6rem 0 .1rem}
.terrarium-explorer label{display:block;margin:.5rem 0}.terrarium-explorer input,.terrarium-explorer select{width:100%;font:inherit;padding:.25rem;box-sizing:border-box}
.terrarium-explorer ol,.terrarium-explorer ul{margin:0;padding-left:1.4rem;max-height:13rem;overflow-y:auto}.terrarium-explorer ul{list-style:none;padding:0}
.terrarium-explorer .legend span{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}
.terrarium-explorer li button{background:none;border:0;padding:0;font:inherit;color:#1f4fbf;cursor:pointer;text-align:left}
.terrarium-explorer dl{display:grid;grid-template-columns:minmax(0,max-content) minmax(5rem,1fr);gap:0 .7rem;margin:0}.terrarium-explorer dt{color:#666}.terrarium-explorer dd{margin:0}
.terrarium-explorer img{width:100%;box-sizing:border-box;border:1px solid #ddd}
@media(max-width:46rem){.terrarium-explorer{grid-template-columns:1fr}}
${STYLE.replace(/(^|\})\s*/g, "$1.terrarium-explorer .over ").replace(/\.terrarium-explorer \.over $/, "")}`;
