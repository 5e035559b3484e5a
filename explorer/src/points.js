// Points in WebGL: one buffer of places, written in each frame, one of colours and one of sizes.
import * as twgl from "twgl.js";

const VERTEX = `#version 300 es
in vec2 place; in vec4 colour; in float size;
uniform float pixels; uniform float disk;
out vec4 fill;
void main() {
  float rim = disk > 0.5 ? max(1.0 - dot(place, place), 0.0) : 1.0;
  gl_Position = vec4(place * 0.96, 0.0, 1.0);
  gl_PointSize = max(size * pixels * (0.35 + 0.65 * sqrt(rim)), 1.0);
  fill = colour;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 fill; out vec4 pixel;
void main() {
  vec2 away = gl_PointCoord - 0.5;
  if (dot(away, away) > 0.25) discard;
  pixel = fill;
}`;

export class PointLayer {
  constructor(canvas, isDisk) {
    this.gl = canvas.getContext("webgl2", { antialias: false, alpha: false, depth: false });
    if (!this.gl) return;
    this.gl.clearColor(1, 1, 1, 1);
    this.program = twgl.createProgramInfo(this.gl, [VERTEX, FRAGMENT]);
    this.isDisk = isDisk;
    this.count = 0;
  }

  // Replace the points: n sizes in pixels, and their numbers in the order of weight, heavy ones first; colours follow by
  // `paint`.
  set(sizes, order) {
    this.order = order;
    this.count = sizes.length;
    if (!this.gl) return;
    for (const buffer of this.buffers ?? []) this.gl.deleteBuffer(buffer);
    this.chosen = new Uint32Array(this.count);
    this.info = twgl.createBufferInfoFromArrays(this.gl, {
      place: { numComponents: 2, data: new Float32Array(2 * this.count), drawType: this.gl.STREAM_DRAW },
      colour: { numComponents: 4, data: new Uint8Array(4 * this.count) },
      size: { numComponents: 1, data: sizes },
      indices: { numComponents: 1, data: this.chosen, drawType: this.gl.STREAM_DRAW },
    });
    this.buffers = [...Object.values(this.info.attribs).map((attribute) => attribute.buffer), this.info.indices];
  }

  paint(colours) {
    if (this.gl && this.count) twgl.setAttribInfoBufferFromArray(this.gl, this.info.attribs.colour, colours);
  }

  draw(places) {
    const gl = this.gl;
    if (!gl) return;
    twgl.resizeCanvasToDisplaySize(gl.canvas, Math.min(window.devicePixelRatio, 2));
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.count) return;
    const drawn = this.#choose(places, gl.canvas.width);
    twgl.setAttribInfoBufferFromArray(gl, this.info.attribs.place, places);
    gl.useProgram(this.program.program);
    twgl.setBuffersAndAttributes(gl, this.program, this.info);
    gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, 0, this.chosen, this.count - drawn, drawn);
    twgl.setUniforms(this.program, { pixels: gl.canvas.width / 800, disk: this.isDisk ? 1 : 0 });
    twgl.drawBufferInfo(gl, this.info, gl.POINTS, drawn);
  }

  // Write the numbers of the points to draw to the end of `chosen`, heavy ones last, so that they are on top: one point
  // per pixel, since most points of a disk are within few pixels of its rim.
  #choose(places, width) {
    const { order, chosen, count } = this, half = width / 2, scale = 0.96 * half;
    if (this.taken?.length !== width * width) this.taken = new Uint8Array(width * width);
    else this.taken.fill(0);
    const taken = this.taken;
    let end = count;
    for (let n = 0; n < count; n++) {
      const i = order[n], x = (places[2 * i] * scale + half) | 0, y = (places[2 * i + 1] * scale + half) | 0;
      if (x < 0 || y < 0 || x >= width || y >= width) continue;
      const cell = y * width + x;
      if (taken[cell]) continue;
      taken[cell] = 1;
      chosen[--end] = i;
    }
    return count - end;
  }
}
