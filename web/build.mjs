// Builds the pages into dist/: index.html, and files whose names have a hash of their content.
// Usage: npm run build
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const place = (file) => fileURLToPath(new URL(file, import.meta.url));
const out = place('dist');

rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [place('src/main.tsx')],
  outdir: path.join(out, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  metafile: true,
  legalComments: 'linked',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // The packages that the client needs are among those of the project.
  nodePaths: [place('../node_modules')],
  logLevel: 'warning',
});

const made = Object.entries(metafile.outputs).map(([file, output]) => ({ name: path.basename(file), ...output }));
const main = made.find(({ entryPoint }) => entryPoint?.endsWith('main.tsx'));
const html = readFileSync(place('index.html'), 'utf8')
  .replace('main.js', `assets/${main.name}`)
  .replace('main.css', `assets/${path.basename(main.cssBundle)}`);
mkdirSync(out, { recursive: true });
writeFileSync(path.join(out, 'index.html'), html);
