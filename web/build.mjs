// SPDX-License-Identifier: Apache-2.0
/**
 * Builds the page into dist/: assets with their hash in the name, index.html that names them, the
 * service worker that knows them all, and a .gz beside everything that compresses. Fails when the
 * JavaScript needed at start grows over its limit.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const START_LIMIT = 60 * 1024;
const DIST = "dist";
const COMPRESSED = /\.(html|js|css|svg|webmanifest|map)$/;

const common = {
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome111", "firefox115", "safari16.4"],
  legalComments: "none",
  logLevel: "warning",
};

async function pageAssets() {
  const { metafile } = await build({
    ...common,
    entryPoints: { app: "src/main.tsx", style: "src/style.css" },
    outdir: `${DIST}/assets`,
    entryNames: "[name]-[hash]",
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
  });
  return Object.keys(metafile.outputs).map((name) => name.slice(DIST.length));
}

async function writePage(assets) {
  const named = (ending) => assets.find((name) => name.endsWith(ending));
  const html = await readFile("index.html", "utf8");
  const page = html.replace("%STYLE%", named(".css")).replace("%SCRIPT%", named(".js"));
  await writeFile(`${DIST}/index.html`, page.replace(/\n\s+/g, "\n"));
}

async function version(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(await readFile(join(DIST, file)));
  return hash.digest("hex").slice(0, 12);
}

async function writeWorker(assets) {
  const own = (await readdir("public")).map((name) => `/${name}`);
  const files = [...assets, ...own].sort();
  await build({
    ...common,
    entryPoints: ["src/sw.ts"],
    outfile: `${DIST}/sw.js`,
    define: {
      FILES: JSON.stringify(["/", ...files]),
      VERSION: JSON.stringify(await version([...files, "/index.html"])),
    },
  });
}

async function compress() {
  const sizes = new Map();
  for (const entry of await readdir(DIST, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !COMPRESSED.test(entry.name)) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const packed = gzipSync(await readFile(file), { level: 9 });
    await writeFile(`${file}.gz`, packed);
    sizes.set(file, packed.length);
  }
  return sizes;
}

function report(sizes) {
  let start = 0;
  for (const [file, size] of [...sizes].sort()) {
    console.log(`${String(size).padStart(7)} B gzip  ${file}`);
    if (/assets\/.*\.js$/.test(file)) start += size;
  }
  console.log(`JavaScript at start: ${start} of ${START_LIMIT} B gzip`);
  if (start > START_LIMIT) throw new Error("the page's JavaScript is over its limit");
}

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST, { recursive: true });
await cp("public", DIST, { recursive: true });
const assets = await pageAssets();
await writePage(assets);
await writeWorker(assets);
report(await compress());
