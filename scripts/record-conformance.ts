import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformancePage, conformancePagePath, measuredHeading } from './pages/conformance.ts';
import { table } from './pages/markdown.ts';

// `pnpm figures`: runs the conformance and fuzz tests and writes what they came to into the reference page.
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'baton-figures-'));
const file = join(folder, 'figures.jsonl');
writeFileSync(file, '');

const { status } = spawnSync('vitest', ['run', '--project', 'all', 'test/conformance', 'test/fuzz'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, BATON_FIGURES_FILE: file },
});

type Line = { readonly name: string } & Readonly<Record<string, number>>;
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line);
rmSync(folder, { recursive: true });

if (status === 0) {
  const sum = (name: string, field: string) =>
    String(lines.filter((line) => line.name === name).reduce((all, line) => all + (line[field] ?? 0), 0));
  const rows = [
    ['conversations held through a door', sum('conformance', 'conversations')],
    ['frames sent in them', sum('conformance', 'frames')],
    ['conversations that went wrong', sum('conformance', 'failed')],
    ['fuzz: methods', sum('fuzz', 'methods')],
    ['fuzz: calls', sum('fuzz', 'cases')],
    ['fuzz: accepted', sum('fuzz', 'accepted')],
    ['fuzz: refused, nothing changed', sum('fuzz', 'refused')],
    ['fuzz: seed', String(lines.find((line) => line.name === 'fuzz')?.['seed'] ?? '-')],
  ];
  const page = await conformancePage();
  const measured = `${measuredHeading}\n\nBy \`pnpm figures\` on ${new Date().toISOString().slice(0, 10)}, all tests passed.\n\n${table(['what', 'how many'], rows)}\n`;
  writeFileSync(join(root, conformancePagePath), page.slice(0, page.indexOf(`${measuredHeading}\n`)) + measured);
}
process.exitCode = status ?? 1;
