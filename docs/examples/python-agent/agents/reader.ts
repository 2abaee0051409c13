import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defineAgent, defineTask, PermanentTaskError } from '@baton/sdk';
import { z } from 'zod';

const measurement = z.object({ time: z.iso.datetime(), celsius: z.number() });
const findings = z.object({
  room: z.string(),
  count: z.number(),
  median: z.number(),
  trendPerDay: z.number(),
  outliers: z.array(measurement),
});

const folderOf = (workspace: string | undefined): string => {
  if (workspace === undefined) throw new PermanentTaskError('There is no workspace to read from.');
  return workspace;
};

const readTables = defineTask({
  type: 'read-tables',
  output: z.object({ tables: z.array(z.object({ room: z.string(), rows: z.array(measurement) })) }),
  async run(_, { workspace, signal, summary }) {
    const folder = folderOf(workspace);
    const files = (await readdir(folder)).filter((file) => file.endsWith('.csv')).sort();
    const tables = await Promise.all(
      files.map(async (file) => {
        const [, ...lines] = (await readFile(join(folder, file), { encoding: 'utf8', signal })).trim().split('\n');
        return { room: basename(file, '.csv'), rows: lines.map(toMeasurement) };
      }),
    );
    summary(`Read ${tables.length} tables.`);
    return { tables };
  },
});

const toMeasurement = (line: string) => {
  const [time = '', celsius] = line.split(',');
  // Seconds are missing in the files.
  return { time: time.replace(/Z$/, ':00Z'), celsius: Number(celsius) };
};

const writeReport = defineTask({
  type: 'write-report',
  input: z.object({ rooms: z.array(findings) }),
  output: z.object({ file: z.string() }),
  async run({ rooms }, ctx) {
    const file = 'report.md';
    const text = rooms.map(toSection).join('\n');
    await writeFile(join(folderOf(ctx.workspace), file), `# Measurements that cannot be right\n\n${text}`);
    ctx.artifact({ type: 'report', name: file, mediaType: 'text/markdown', content: text });
    return { file };
  },
});

const toSection = ({ room, count, median, trendPerDay, outliers }: z.infer<typeof findings>): string =>
  [
    `## ${room}\n`,
    `${count} measurements around ${median.toFixed(1)} °C, ${trendPerDay.toFixed(2)} °C warmer each day.\n`,
    ...(outliers.length === 0 ? ['Nothing is odd.'] : outliers.map(({ time, celsius }) => `- ${time}: ${celsius.toFixed(1)} °C`)),
    '',
  ].join('\n');

export default defineAgent({ name: 'reader', tasks: [readTables, writeReport] });
