// Bundle src/ and twgl.js into the package: the same sources give the same bytes.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const TARGET = "../src/terrarium/reporting/explorer/assets/explorer.js";
const folder = new URL(".", import.meta.url).pathname;
const digest = createHash("sha256");
for (const name of [...readdirSync(`${folder}src`).sort().map((name) => `src/${name}`), "package-lock.json"])
  digest.update(readFileSync(`${folder}${name}`));
const result = await build({
  absWorkingDir: folder,
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  write: false,
});
const banner = `/*! Terrarium explorer, Apache-2.0; contains twgl.js, MIT, see NOTICE. Sources: sha256 ${digest.digest("hex")} */\n`;
writeFileSync(`${folder}${TARGET}`, banner + result.outputFiles[0].text.replaceAll("</script", "<\\/script"));
