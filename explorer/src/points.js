// Points in WebGL: one buffer of places, written in each frame, one of colours and one of sizes.
import * as twgl from "twgl.js";

const VERTEX = `#version 300 es
in vec2 place; in vec4 colour; in float size;
uniform float pixels; uniform float disk; uniform float thin;
out vec4 fill;
void main() {
  float rim = disk > 0.5 ? max(1.0 - dot(place, place), 0.0) : 1.0;
  gl_Position = vec4(place * 0.96, 0.0, 1.0);
  gl_PointSize = max(size * pixels * thin * (0.35 + 0.65 * sqrt(rim)), 1.0);
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
    this.gl = canvas.getContext("webgl2", { antialias: false, alpha: true, preserveDrawingBuffer: true });
    if (!this.gl) return;
    this.program = twgl.createProgramInfo(this.gl, [VERTEX, FRAGMENT]);
    this.isDisk = isDisk;
    this.count = 0;
  }

  // Replace the points: n sizes in pixels; colours follow by `paint`.
  set(sizes) {
    if (!this.gl) return;
    const n = sizes.length;
    for (const buffer of this.buffers ?? []) this.gl.deleteBuffer(buffer);
    this.count = n;
    this.info = twgl.createBufferInfoFromArrays(this.gl, {
      place: { numComponents: 2, data: new Float32Array(2 * n), drawType: this.gl.STREAM_DRAW },
      colour: { numComponents: 4, data: new Uint8Array(4 * n) },
      size: { numComponents: 1, data: sizes },
    });
    this.buffers = Object.values(this.info.attribs).map((attribute) => attribute.buffer);
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
    twgl.setAttribInfoBufferFromArray(gl, this.info.attribs.place, places);
    gl.useProgram(this.program.program);
    twgl.setBuffersAndAttributes(gl, this.program, this.info);
    const thin = Math.min(1.6, Math.max(0.6, (20000 / this.count) ** 0.25));
    twgl.setUniforms(this.program, { pixels: gl.canvas.width / 800, disk: this.isDisk ? 1 : 0, thin });
    twgl.drawBufferInfo(gl, this.info, gl.POINTS);
  }
}
