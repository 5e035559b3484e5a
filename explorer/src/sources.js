// Where points, names and answers come from: the local server, or the data inside the page.

const KINDS = { int32: Int32Array, float32: Float32Array, float64: Float64Array };

// Arrays by name from: length of a JSON header, the header, the arrays at multiples of eight bytes.
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  return Object.fromEntries(
    Object.entries(header).map(([name, [kind, start, count]]) => [name, new KINDS[kind](buffer, start, count)]),
  );
}

export class ServerSource {
  meta() {
    return this.#json("meta");
  }

  async points(query, column) {
    return unpack(await (await this.#get(`points?${query}&column=${encodeURIComponent(column)}`)).arrayBuffer());
  }

  node(row) {
    return this.#json(`node?row=${row}`);
  }

  names(rows) {
    return this.#json(`names?rows=${rows.join(",")}`);
  }

  search(text) {
    return this.#json(`search?q=${encodeURIComponent(text)}`);
  }

  async #json(path) {
    return (await this.#get(path)).json();
  }

  async #get(path) {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }
}

// All of a small set of points: `data` is { meta, names, arrays }, with parents, columns and neighbours as arrays.
export class PageSource {
  constructor({ meta, names }, arrays) {
    this.about = meta;
    this.labels = names;
    this.arrays = arrays;
    this.children = new Map();
    arrays.parent.forEach((parent, row) => {
      if (parent >= 0) this.children.set(parent, [...(this.children.get(parent) ?? []), row]);
    });
  }

  // Read the gzipped, base64-coded element of a page.
  static async read(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const buffer = await new Response(stream).arrayBuffer();
    const length = new DataView(buffer).getUint32(0, true);
    const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    return new PageSource(told, unpack(buffer.slice(8 + Math.ceil(length / 8) * 8)));
  }

  async meta() {
    return this.about;
  }

  async points(query, column) {
    const { row, parent, first, second, weight } = this.arrays;
    return { row, parent, first, second, weight, value: this.arrays[`column:${column}`] ?? new Float32Array(row.length).fill(Number.NaN) };
  }

  async names(rows) {
    return rows.map((row) => this.labels[row]);
  }

  async search(text) {
    const wanted = text.toLowerCase(), found = [];
    for (let row = 0; row < this.labels.length; row++) {
      const at = this.labels[row].toLowerCase().indexOf(wanted);
      if (at >= 0) found.push([at === 0 ? this.labels[row].length : 1000 + at, row]);
    }
    return found.sort((a, b) => a[0] - b[0]).slice(0, 20).map(([, row]) => this.#entry(row));
  }

  async node(row) {
    const path = [], { parent, neighbours, distances } = this.arrays, k = this.about.neighbours;
    for (let above = parent[row]; above >= 0; above = parent[above]) path.push(this.#entry(above));
    const children = this.children.get(row) ?? [], near = [];
    for (let i = row * k; i < (row + 1) * k; i++)
      if (neighbours[i] >= 0) near.push({ ...this.#entry(neighbours[i]), distance: distances[i] });
    const values = this.about.columns.map((column) => [column.name, this.#shown(column, row)]).filter(([, value]) => value !== null);
    return { ...this.#entry(row), values, path, children: children.slice(0, 200).map((child) => this.#entry(child)), child_count: children.length, neighbours: near };
  }

  #shown(column, row) {
    const value = this.arrays[`column:${column.name}`][row];
    if (Number.isNaN(value)) return null;
    return column.kind === "class" ? (column.classes[value] ?? null) : value;
  }

  #entry(row) {
    return { row, name: this.labels[row], position: [this.arrays.first[row], this.arrays.second[row]] };
  }
}
