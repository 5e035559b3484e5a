// What is drawn over the points: rim, path, children, neighbours and names; and the picture as an SVG file.

const EDGE = 1 / 0.96; // the points fill 96% of the canvas
const SVG = "http://www.w3.org/2000/svg";

export class Overlay {
  constructor(svg, view, isDisk) {
    Object.assign(this, { svg, view, isDisk });
    svg.setAttribute("viewBox", `${-EDGE} ${-EDGE} ${2 * EDGE} ${2 * EDGE}`);
  }

  // Draw the selection ({ position, path, children, neighbours } or null), names ([{ name, position }]) and links
  // ([position, position]).
  draw(selected, names, links) {
    const parts = this.isDisk ? ['<circle class="rim" r="1"/>'] : [];
    const at = (entry) => this.view.projectOne(entry.position);
    for (const [a, b] of links) parts.push(this.#line("link", this.view.projectOne(a), this.view.projectOne(b)));
    if (selected) {
      const here = at(selected), line = [selected, ...selected.path].map(at);
      for (const child of selected.children) parts.push(this.#line("child", here, at(child)));
      for (const near of selected.neighbours) parts.push(this.#line("near", here, at(near)));
      for (let i = 0; i + 1 < line.length; i++) parts.push(this.#line("path", line[i], line[i + 1]));
      parts.push(this.#dot("selected", here, 0.016));
      for (const near of selected.neighbours) parts.push(this.#dot("near", at(near), 0.009));
    }
    this.svg.innerHTML = parts.join("");
    const taken = [];
    const wanted = selected ? [{ ...selected, strong: true }, ...selected.path, ...selected.children, ...selected.neighbours, ...names] : names;
    for (const entry of wanted) this.#name(entry, at(entry), taken);
  }

  show(isShown) {
    const display = isShown ? "" : "none";
    if (this.svg.style.display !== display) this.svg.style.display = display;
  }

  #line(kind, a, b) {
    return this.view.sees(a) || this.view.sees(b) ? `<path class="${kind}" d="${this.view.segment(flipped(a), flipped(b))}"/>` : "";
  }

  #dot(kind, [x, y], r) {
    return this.view.sees([x, y]) ? `<circle class="${kind}" cx="${x.toFixed(5)}" cy="${(-y).toFixed(5)}" r="${r}"/>` : "";
  }

  // Write a name unless another one is there already.
  #name({ name, strong }, [x, y], taken) {
    if (!this.view.sees([x, y]) || (this.isDisk && x * x + y * y > 0.97)) return;
    const width = 0.0165 * name.length, left = x + width > 1;
    const box = left ? [x - 0.02 - width, x - 0.012, -y - 0.03, -y + 0.012] : [x + 0.012, x + 0.02 + width, -y - 0.03, -y + 0.012];
    if (!strong && taken.some((other) => box[0] < other[1] && other[0] < box[1] && box[2] < other[3] && other[2] < box[3])) return;
    taken.push(box);
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", (left ? x - 0.016 : x + 0.016).toFixed(5));
    if (left) text.setAttribute("text-anchor", "end");
    text.setAttribute("y", (-y + 0.006).toFixed(5));
    if (strong) text.setAttribute("class", "strong");
    text.textContent = name;
    this.svg.append(text);
  }

  // Return the picture as a file: places and colours of the points that are seen, and what is drawn over them.
  file(places, colours, sizes, title) {
    const dots = [];
    for (let i = 0; i < sizes.length; i++) {
      const x = places[2 * i], y = places[2 * i + 1];
      if (!this.view.sees([x, y])) continue;
      const rim = this.isDisk ? Math.sqrt(Math.max(1 - x * x - y * y, 0)) : 1;
      const fill = `#${[0, 1, 2].map((c) => colours[4 * i + c].toString(16).padStart(2, "0")).join("")}`;
      dots.push(`<circle cx="${x.toFixed(4)}" cy="${(-y).toFixed(4)}" r="${(sizes[i] * (0.35 + 0.65 * rim) * 0.00125).toFixed(4)}" fill="${fill}"/>`);
    }
    const heading = document.createElement("i");
    heading.textContent = title;
    return `<svg xmlns="${SVG}" viewBox="${this.svg.getAttribute("viewBox")}" width="1000" height="1000"><title>${heading.innerHTML}</title><style>${STYLE}</style><g>${dots.join("")}</g>${new XMLSerializer().serializeToString(this.svg).replace(/^<svg[^>]*>|<\/svg>$/g, "")}</svg>\n`;
  }
}

const flipped = ([x, y]) => [x, -y];

export const STYLE = `.rim{fill:none;stroke:#888;stroke-width:.003}.path{fill:none;stroke:#111;stroke-width:.006}
.link{fill:none;stroke:#999;stroke-width:.0015;opacity:.6}.child{fill:none;stroke:#888;stroke-width:.003}.near{fill:none;stroke:#d7263d;stroke-width:.002;stroke-dasharray:.012 .012}
circle.near{fill:#d7263d;stroke:none}circle.selected{fill:none;stroke:#d7263d;stroke-width:.007}
text{font:.03px system-ui,sans-serif;fill:#111;paint-order:stroke;stroke:#fff;stroke-width:.008px}text.strong{font-weight:700}`;
