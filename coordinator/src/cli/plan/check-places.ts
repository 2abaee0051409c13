import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { CommandAgent, ProcessAgent } from '../plan-schema.ts';
import type { Path, YamlDocument } from '../yaml/yaml-document.ts';
import type { PlanOutline } from './plan-outline.ts';
import type { Problems } from '../yaml/problems.ts';
import { asRecord } from './salvage.ts';

/** What a path leads to; a program is a file that may be executed. */
export type PlaceKind = 'folder' | 'program' | 'file';

/** What of this machine a plan depends on. */
export interface Places {
  readonly kindOf: (path: string) => PlaceKind | undefined;
  /** As in PATH. */
  readonly searchPath: string;
  /** The plan works on another folder than its own. */
  readonly hasProject: boolean;
}

/** Folders that are not there, and programs that nobody could start. */
export function checkPlaces({ file, value }: YamlDocument, { agents }: PlanOutline, places: Places, problems: Problems): void {
  const folder = dirname(resolve(file));
  const { copy } = asRecord(asRecord(value)['workspace']);
  if (typeof copy === 'string' && copy !== '' && !places.hasProject)
    checkFolder(copy, ['workspace', 'copy'], { ...places, folder }, problems);

  for (const [name, agent] of agents) {
    if ('module' in agent) continue;
    const fault = findProgramFault(agent, { ...places, folder });
    if (fault !== undefined) problems.add(['agents', name, 'command' in agent ? 'command' : 'process', 0], fault);
    if (agent.cwd !== undefined) checkFolder(agent.cwd, ['agents', name, 'cwd'], { ...places, folder }, problems);
  }
}

/** Seen from the folder of the plan. */
interface Outlook extends Places {
  readonly folder: string;
}

function checkFolder(given: string, path: Path, { kindOf, folder }: Outlook, problems: Problems): void {
  if (isOfWorkspace(given)) return;
  const target = resolve(folder, given);
  const kind = kindOf(target);
  if (kind !== 'folder') problems.add(path, kind === undefined ? `there is no folder ${target}` : `${target} is not a folder`);
}

/** Why the program of an agent cannot be started; undefined where it can, or where nobody knows yet. */
function findProgramFault(agent: CommandAgent | ProcessAgent, { kindOf, searchPath, folder }: Outlook): string | undefined {
  const [program = ''] = 'command' in agent ? agent.command : agent.process;
  if (program === '') return 'the program has no name';
  if (isOfWorkspace(program)) return undefined;
  if (/^\.{1,2}\//.test(program) || isAbsolute(program)) return describeFile(resolve(folder, program), kindOf);
  // With a slash it is sought from where the program will run, which is not made yet.
  if (program.includes('/')) return undefined;

  const path = agent.env?.['PATH'] ?? searchPath;
  if (path.split(delimiter).some((place) => kindOf(join(place, program)) === 'program')) return undefined;
  const isBeside = kindOf(join(folder, program)) !== undefined;
  return `there is no program ${program} on the PATH${isBeside ? `; the file beside the plan is ./${program}` : ''}`;
}

function describeFile(file: string, kindOf: Places['kindOf']): string | undefined {
  switch (kindOf(file)) {
    case 'program':
      return undefined;
    case 'file':
      return `${file} may not be executed; allow it with chmod +x, or name the program that runs it before it`;
    case 'folder':
      return `${file} is a folder, not a program`;
    case undefined:
      return `there is no file ${file}`;
  }
}

const isOfWorkspace = (text: string): boolean => /\{\{\s*workspace\s*\}\}/.test(text);

/** Looks it up in the file system. */
export function kindOfPlace(path: string): PlaceKind | undefined {
  const isFolder = tryTo(() => statSync(path).isDirectory());
  if (isFolder !== false) return isFolder === true ? 'folder' : undefined;
  return tryTo(() => accessSync(path, constants.X_OK) === undefined) === true ? 'program' : 'file';
}

// What we may not look at is not there for us.
function tryTo(look: () => boolean): boolean | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
