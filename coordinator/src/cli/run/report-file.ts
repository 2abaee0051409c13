import { constants } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { kindOfPlace } from '../plan/check-places.ts';
import { CommandError } from '../shell.ts';
import type { RunReport } from './report.ts';

/** Before a run that may take hours: whether its report could be written at the end. Leaves no trace. */
export async function refuseReportFile(file: string): Promise<void> {
  const kind = kindOfPlace(file);
  const folder = dirname(resolve(file));
  const reason =
    kind === 'folder'
      ? 'it is a folder'
      : kindOfPlace(folder) !== 'folder'
        ? `there is no folder ${folder}`
        : await access(kind === undefined ? folder : file, constants.W_OK).then(() => undefined, messageOf);
  if (reason !== undefined) throw new CommandError(describe(file, reason), { exitCode: 2 });
}

export async function writeReport(file: string, report: RunReport): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  } catch (cause) {
    throw new CommandError(describe(file, messageOf(cause)), { cause });
  }
}

const describe = (file: string, reason: string) => `--report: the report cannot be written to ${file}: ${reason}.`;
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
