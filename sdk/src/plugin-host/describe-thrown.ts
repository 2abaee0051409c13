import { pathToFileURL } from 'node:url';
import { cutText } from '../connection/storable-text.ts';
import type { ThreadAnswer } from './outcome.ts';
import { toText } from './text.ts';

/** What the code of a plugin threw, which can be anything, and where in its own files: whoever wrote it has no other stack to look at. */
export function describeThrown(error: unknown, packageFile: string): ThreadAnswer {
  if (!(error instanceof Error)) return { kind: 'threw', name: 'Error', message: toText(error, 4_000) };
  const { name, message, stack } = error;
  const said = toText(message, 3_000);
  return {
    kind: 'threw',
    name: toText(name, 128),
    message: 'code' in error && error.code === 'ERR_ACCESS_DENIED' ? `${said.replace(nodesRemedy, '')} ${remedy}` : said,
    ...findPlace(toText(stack, 20_000), packageFile),
  };
}

/** It is for whoever starts Node. */
const nodesRemedy = / Use --allow-[\w-]+ to manage permissions\./;
const remedy =
  'A plugin may read its own package and what that depends on, and touch nothing else outside of itself: what it judges has to be in the artifacts, the facts or its configuration.';

/** The first line of a stack that lies in the plugin's folder, but not below its node_modules. */
function findPlace(stack: string, packageFile: string): { readonly path?: string; readonly line?: number } {
  const folder = new URL('.', pathToFileURL(packageFile)).href;
  for (const frame of stack.split('\n')) {
    const start = frame.startsWith('    at ') ? frame.indexOf(folder) : -1;
    const [, path, line] = start < 0 ? [] : (/^(.+?):(\d+):\d+\)?$/.exec(frame.slice(start + folder.length)) ?? []);
    if (path !== undefined && !path.includes('node_modules/')) return { path: cutText(decodeURI(path), 1_024), line: Number(line) };
  }
  return {};
}
