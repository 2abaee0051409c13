// A command agent: any program can be one. The task comes as JSON on standard input, the result goes out as JSON on
// standard output, what is said on standard error goes to the log, and the exit code says how it ended (0 done, 75 try
// again, 64 to 78 give up; see sysexits.h).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const { task } = JSON.parse(readFileSync(0, 'utf8'));
const workspace = process.env.BATON_WORKSPACE;
// Beside the workspace: a package within it would end up in the next package.
const destination = join(`${workspace}.release-check`, 'package');
const manifest = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8'));

// npm would say the same in more words, and trying again would not help.
const missing = ['name', 'version'].filter((field) => manifest[field] === undefined);
if (missing.length > 0) {
  console.error(`package.json has no ${missing.join(' and no ')}, so it cannot be packed.`);
  process.exit(65);
}

console.error(`packing ${manifest.name}@${manifest.version}, attempt ${task.attempt}`);
mkdirSync(destination, { recursive: true });
const stdio = ['ignore', 'pipe', 'inherit'];
// The project's own prepack script builds what is published; it may print, and npm's report comes last.
const printed = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', destination], {
  cwd: workspace,
  encoding: 'utf8',
  stdio,
});
const [report] = JSON.parse(printed.slice(printed.search(/^\[$/m)));
const file = join(destination, report.filename);
const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
const content = {
  name: report.name,
  version: report.version,
  file,
  size: report.size,
  sha256,
  entryCount: report.entryCount,
  files: report.files.map(({ path }) => path),
};

console.log(
  JSON.stringify({
    output: { file, name: report.name, version: report.version, sha256 },
    summary: `${report.filename}: ${report.entryCount} files, ${report.size} bytes.`,
    artifacts: [{ type: 'release_package', name: report.filename, content }],
  }),
);
