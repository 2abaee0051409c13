import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mayAccess, methodNames, methods, roles } from '@baton/protocol';
import { findConversations } from '../../coordinator/src/cli/conformance/find-conversations.ts';
import { type Conversation, doorNames } from '../../coordinator/src/cli/conformance/conversation.ts';
import { pageHead, table } from './markdown.ts';

const root = join(import.meta.dirname, '..', '..');
export const conformancePagePath = 'docs/reference/conformance.md';

/** What comes after this line was measured: `pnpm figures` writes it, and `pnpm generate` leaves it as it is. */
export const measuredHeading = '## Measured';

/** What is tested of the protocol. The figures follow from the files and the contract; those of the last run are kept. */
export async function conformancePage(): Promise<string> {
  const conversations = await findConversations([join(root, 'test', 'conformance')]);
  return `${staticPart(conversations)}\n${measuredPart()}`;
}

function measuredPart(): string {
  const path = join(root, conformancePagePath);
  const found = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const start = found.indexOf(`${measuredHeading}\n`);
  return start < 0 ? `${measuredHeading}\n\nNot yet: run \`pnpm figures\`.\n` : found.slice(start);
}

function staticPart(conversations: readonly Conversation[]): string {
  const files = [...new Set(conversations.map(({ file }) => file))];
  const count = (list: readonly Conversation[]) => ({
    conversations: list.length,
    frames: list.reduce((sum, { rounds }) => sum + rounds.reduce((frames, { sent }) => frames + sent.length, 0), 0),
  });
  const row = (title: string, list: readonly Conversation[]) => {
    const doors = doorNames.map((door) => String(count(list.filter((one) => one.doors.includes(door))).frames));
    return [title, String(count(list).conversations), ...doors];
  };
  const rows = files.map((file) =>
    row(
      `\`${file}\``,
      conversations.filter((one) => one.file === file),
    ),
  );
  const allowed = roles.map((role) => [
    role,
    String(methodNames.filter((name) => mayAccess(role, methods[name].access)).length),
    String(methodNames.length),
  ]);

  return [
    pageHead('Conformance', 'test/conformance and @baton/protocol'),
    'What of the protocol is held to be true by tests, and how much of it.\n',
    '## Frames\n',
    '`baton conformance --url … --token-file …` holds the conversations of `test/conformance` with any implementation and prints a',
    'table; how they are written is in the [README](../../test/conformance/README.md) beside them. A test runs it against a daemon,',
    'another against a server that is wrong.\n',
    table(['conversations', 'how many', 'frames over WebSocket', 'frames over HTTP'], [...rows, row('all', conversations)]),
    '\n## Methods and roles\n',
    `${methodNames.length} methods × ${roles.length} roles = ${methodNames.length * roles.length} combinations; [access](access.md) lists them.\n`,
    table(['role', 'methods it may call', 'of'], allowed),
    '\n## Fuzzing\n',
    'From the JSON schema of each method valid parameters are made and one thing in them is broken: left out, added, of another',
    'type, on or beyond a boundary, huge, of another project, of nasty text. Each call gets exactly one answer; the answer fits the',
    'contract; a refused call has changed no row; nothing of another project is seen or changed; -32603 never comes.\n',
    `In the tests 300 cases a method over the ${roles.length} roles, always the same: ${300 * methodNames.length} calls. \`pnpm fuzz\` makes 3,000 a method,`,
    'others each time, and says how to have the same again (`--seed`, `--cases`, `--method`).\n',
  ].join('\n');
}
