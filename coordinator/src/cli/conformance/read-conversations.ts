import { CommandError } from '../shell.ts';
import { type Conversation, type DoorName, doorNames, type Expected, type Round, type Sent } from './conversation.ts';

interface Draft {
  readonly title: string;
  doors: readonly DoorName[];
  readonly rounds: { readonly line: number; readonly sent: Sent[]; readonly expected: Expected[] }[];
}

/**
 * Reads the conversations of a file. `test/conformance/README.md` describes how they are written.
 * @throws CommandError which names the file and the line
 */
export function readConversations(file: string, text: string): Conversation[] {
  const drafts: Draft[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    try {
      readLine(content, index + 1, drafts);
    } catch (error) {
      throw new CommandError(`${file}:${index + 1}: ${error instanceof Error ? error.message : String(error)}`, { exitCode: 2 });
    }
  }
  return drafts.map((draft) => ({ file, ...draft, rounds: draft.rounds.map((round) => finish(file, round)) }));
}

function readLine(content: string, line: number, drafts: Draft[]): void {
  if (content.trim() === '' || content.startsWith('#')) return;
  if (content.startsWith('=== ')) {
    drafts.push({ title: content.slice(4).trim(), doors: doorNames, rounds: [] });
    return;
  }
  const draft = drafts.at(-1);
  if (draft === undefined) throw new Error('A conversation begins with `=== ` and its title.');
  if (content.startsWith('@')) {
    draft.doors = content.slice(1).trim().split(/\s+/).map(readDoor);
    return;
  }
  const [, arrow, rest = ''] = /^(-->|<--) ?(.*)$/.exec(content) ?? [];
  if (arrow === undefined) throw new Error('A line begins with `-->`, `<--`, `===`, `@` or `#`.');
  const round = draft.rounds.at(-1);
  if (arrow === '<--') {
    if (round === undefined) throw new Error('Nothing was sent yet.');
    round.expected.push(readExpected(rest.trim()));
  } else if (round === undefined || round.expected.length > 0) draft.rounds.push({ line, sent: [readSent(rest)], expected: [] });
  else round.sent.push(readSent(rest));
}

function readDoor(name: string): DoorName {
  const door = doorNames.find((known) => known === name);
  if (door === undefined) throw new Error(`The doors are ${doorNames.join(' and ')}.`);
  return door;
}

function readSent(rest: string): Sent {
  const [, kind, digits] = /^(hex|binary)((?: [0-9a-f]{2})+)$/i.exec(rest.trim()) ?? [];
  if (digits !== undefined) return { kind: kind === 'binary' ? 'binary' : 'text', bytes: Buffer.from(digits.replaceAll(' ', ''), 'hex') };
  return { kind: 'text', bytes: Buffer.from(repeatParts(rest)) };
}

/** `%{"["*10000}` stands for ten thousand brackets. */
const repeatParts = (text: string): string =>
  text.replaceAll(/%\{("(?:[^"\\]|\\.)*")\*(\d+)\}/g, (_, part: string, times: string) =>
    (JSON.parse(part) as string).repeat(Number(times)),
  );

function readExpected(rest: string): Expected {
  if (rest === 'nothing') return { kind: 'nothing' };
  const code = /^close (\d{4})$/.exec(rest)?.[1];
  if (code !== undefined) return { kind: 'close', code: Number(code) };
  return { kind: 'answer', pattern: JSON.parse(rest) };
}

function finish(file: string, round: Round): Round {
  if (round.expected.length === 0) {
    throw new CommandError(`${file}:${round.line}: Say what must come back, or \`<-- nothing\`.`, { exitCode: 2 });
  }
  return round;
}
