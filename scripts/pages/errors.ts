import { type ErrorKind, errorCatalogue, errorKinds, methodNames, methods } from '@baton/protocol';
import { code, pageHead, table } from './markdown.ts';

const blames = {
  caller: 'The caller: do not retry without a change.',
  passing: 'Time: retry after `retryAfterMs`.',
  bug: 'Baton: the cause is in the log of the coordinator under the reference id.',
  cancelled: 'Nobody: the caller asked for it.',
} as const;

/** The reference of the error catalogue. */
export function errorsPage(): string {
  const sections = errorKinds.map((kind) => {
    const { code: number, blame, title } = errorCatalogue[kind];
    return `## ${kind}\n\n${title}\n\n${table(['code', 'who can do something', 'told by'], [[String(number), blames[blame], tellers(kind)]])}\n`;
  });
  return [
    pageHead('Errors', '@baton/protocol'),
    '`error.data` holds `kind` (permanent: match on it), `retryable`, and where they fit `retryAfterMs`, `fields` and details.\n',
    ...sections,
  ].join('\n');
}

function tellers(kind: ErrorKind): string {
  const names = methodNames.filter((name) => (methods[name].errors as readonly ErrorKind[]).includes(kind));
  return names.length === 0 ? 'any call' : names.map(code).join(', ');
}
