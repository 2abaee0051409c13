import {
  errorCatalogue,
  type ErrorBlame,
  type ErrorKind,
  errorKinds,
  generalErrors,
  type MethodDefinition,
  methodNames,
  methods,
} from '@baton/protocol';
import { blocks, code, link, pageHead, table } from './markdown.ts';

const blames: Readonly<Record<ErrorBlame, string>> = {
  caller: 'The caller: another try needs a change.',
  passing: 'Time: try again after `retryAfterMs`.',
  bug: 'Baton: the cause is in the log of the coordinator, under the reference id in `data.reference`.',
  cancelled: 'Nobody: the caller asked for it.',
};

/** The reference of the error catalogue. */
export function errorsPage(): string {
  const rows = errorKinds.map((kind) => [link(code(kind), '', kind), String(errorCatalogue[kind].code), errorCatalogue[kind].title]);
  return `${blocks(
    pageHead('Errors', '@baton/protocol').trimEnd(),
    intro,
    table(['kind', 'code', 'meaning'], rows),
    ...errorKinds.map((kind) => {
      const { code: number, blame, title } = errorCatalogue[kind];
      return blocks(
        `## ${kind}`,
        title,
        `- Code: ${number}\n- Who can do something: ${blames[blame]}\n- Told by: ${describeTellers(kind)}`,
      );
    }),
  )}\n`;
}

const intro = `An answer that is an error has \`code\`, \`message\` and \`data\`. \`data.kind\` is permanent: match on it. \`data.retryable\` says whether the same call may succeed
later, \`data.retryAfterMs\` when, \`data.fields\` which parameters do not fit and why; there may be more. A definite error has changed nothing.

\`\`\`jsonc
{ "code": 40903, "message": "${errorCatalogue.claim_stale.title}", "data": { "kind": "claim_stale", "retryable": false } }
\`\`\``;

function describeTellers(kind: ErrorKind): string {
  const tellers = methodNames.filter((name) => (methods[name] as MethodDefinition).errors.includes(kind));
  const isGeneral = (generalErrors as readonly ErrorKind[]).includes(kind);
  return [...(isGeneral ? ['any call'] : []), ...tellers.map((name) => link(code(name), 'methods.md', name))].join(', ');
}
