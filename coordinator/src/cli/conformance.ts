import { readToken } from '@baton/sdk/connection';
import { findConversations } from './conformance/find-conversations.ts';
import { type DoorName, doorNames } from './conformance/conversation.ts';
import type { Door, DoorOptions } from './conformance/door.ts';
import { httpDoor } from './conformance/http-door.ts';
import { type Outcome, playConversation } from './conformance/play-conversation.ts';
import { socketDoor } from './conformance/socket-door.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { formatTable } from './table.ts';
import { findTarget, type TargetOptions } from './target.ts';

export interface ConformanceOptions extends TargetOptions {
  readonly door?: DoorName;
  readonly timeoutMs?: number;
  readonly json?: boolean;
}

const defaultTimeoutMs = 5_000;
/** A wrong answer leaves with or right behind the one to the probe; on one machine that takes far less. */
const quietMs = 10;

/** `baton conformance`: holds the conversations with an implementation of the protocol and tells where it answers otherwise. */
export async function conformance(
  shell: Shell,
  paths: readonly string[],
  { door, json = false, timeoutMs = defaultTimeoutMs, ...options }: ConformanceOptions,
): Promise<number> {
  const conversations = await findConversations(paths);
  const target = await findTarget(options, shell.env);
  const token = await readToken(target);
  const doors = createDoors({ token, timeoutMs, quietMs }, { websocket: target.url, http: `${target.httpUrl}/rpc` });

  const outcomes: Outcome[] = [];
  for (const name of doorNames) {
    if (door !== undefined && door !== name) continue;
    await refuseSilence(doors[name], target.httpUrl);
    // One after the other, so that a conversation which hurts the implementation is the one that is named.
    for (const conversation of conversations) {
      if (conversation.doors.includes(name)) outcomes.push(await playConversation(doors[name], conversation));
    }
    outcomes.push(await playConversation(doors[name], lastWords));
  }

  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  if (json)
    printLine(shell.stdout, JSON.stringify({ url: target.url, passed: outcomes.length - failed.length, failed: failed.length, outcomes }));
  else printReport(shell, outcomes);
  return failed.length === 0 ? 0 : 1;
}

const createDoors = (
  options: Omit<DoorOptions, 'url'>,
  { websocket, http }: Readonly<Record<DoorName, string>>,
): Readonly<Record<DoorName, Door>> => ({
  websocket: socketDoor({ ...options, url: websocket }),
  http: httpDoor({ ...options, url: http }),
});

/** What is asked when all else is done: whatever was sent, the implementation lives. */
const lastWords = {
  file: 'the end',
  title: 'it still answers',
  doors: doorNames,
  rounds: [
    {
      line: 1,
      sent: [{ kind: 'text', bytes: Buffer.from('{"jsonrpc":"2.0","method":"coordinator/info","id":"last"}') }],
      expected: [{ kind: 'answer', pattern: { jsonrpc: '2.0', id: 'last', '...': '<any>' } }],
    },
  ],
} as const;

/** Where nothing listens, no conversation says anything about conformance. */
async function refuseSilence(door: Door, url: string): Promise<void> {
  try {
    const line = await door.open();
    await line.exchange(lastWords.rounds[0].sent, { texts: 1, close: false });
    await line.close();
  } catch (cause) {
    throw new CommandError(`Nothing answers at ${url} (${door.name}): ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function printReport(shell: Shell, outcomes: readonly Outcome[]): void {
  const files = [...new Set(outcomes.map(({ file }) => file))];
  const cell = (file: string, door: DoorName): string => {
    const played = outcomes.filter((outcome) => outcome.file === file && outcome.door === door);
    return played.length === 0 ? '-' : `${played.filter(({ problem }) => problem === undefined).length}/${played.length}`;
  };
  const frames = (file: string) => outcomes.filter((outcome) => outcome.file === file).reduce((sum, outcome) => sum + outcome.frames, 0);
  const rows = files.map((file) => [file, frames(file), ...doorNames.map((door) => cell(file, door))]);
  printLine(shell.stdout, formatTable(['CONVERSATIONS', 'FRAMES', ...doorNames.map((door) => door.toUpperCase())], rows));

  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  for (const { file, title, door, problem } of failed) printLine(shell.stdout, `\nFAILED ${file} · ${title} (${door})\n  ${problem}`);
  printLine(shell.stdout, `\n${outcomes.length - failed.length} passed, ${failed.length} failed`);
}
