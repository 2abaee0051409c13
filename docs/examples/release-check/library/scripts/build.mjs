// Node strips types itself, but not below node_modules: what is published has to be JavaScript.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';

const from = new URL('../src/', import.meta.url);
const to = new URL('../dist/', import.meta.url);

await rm(to, { recursive: true, force: true });
await mkdir(to, { recursive: true });
for (const file of await readdir(from)) {
  const code = stripTypeScriptTypes(await readFile(new URL(file, from), 'utf8'));
  const linked = code.replaceAll(/(from\s+'\.\/[^']+)\.ts'/g, "$1.js'");
  await writeFile(new URL(file.replace(/\.ts$/, '.js'), to), linked.replaceAll(/[ \t]+$/gm, ''));
}
