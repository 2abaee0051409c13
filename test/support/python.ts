import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

const requirement = 'import sys, websockets; sys.exit(sys.version_info < (3, 11))';

/**
 * A Python that can run the client: 3.11 or later with `websockets`; undefined, said in one line, where there is none. The first on
 * the path may be another than that for which the system's package was installed.
 */
export function findPython(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'python3'));
  const found = [...new Set([...onPath, '/usr/bin/python3'])].find((python) => spawnSync(python, ['-c', requirement]).status === 0);
  if (found === undefined) process.stderr.write(`${noPython}\n`);
  return found;
}

export const noPython =
  'SKIPPED: the tests of the Python client need Python 3.11 with `websockets` (Debian: apt-get install python3-websockets).';
