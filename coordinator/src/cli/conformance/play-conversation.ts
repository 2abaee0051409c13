import type { Conversation, DoorName, Round } from './conversation.ts';
import type { Door, Heard, Line } from './door.ts';
import { findMismatch } from './find-difference.ts';
import { findLeak } from './find-leak.ts';

export interface Outcome {
  readonly file: string;
  readonly title: string;
  readonly door: DoorName;
  readonly frames: number;
  /** What was wrong, with the line; undefined where all was as it should be. */
  readonly problem?: string;
}

/** Holds a conversation on a connection of its own, up to the first thing that is wrong. */
export async function playConversation(door: Door, { file, title, rounds }: Conversation): Promise<Outcome> {
  const played = { file, title, door: door.name, frames: rounds.reduce((sum, { sent }) => sum + sent.length, 0) };
  const problem = await findProblem(door, rounds);
  return problem === undefined ? played : { ...played, problem };
}

async function findProblem(door: Door, rounds: readonly Round[]): Promise<string | undefined> {
  let line: Line;
  try {
    line = await door.open();
  } catch (error) {
    return `no connection: ${messageOf(error)}`;
  }
  try {
    for (const round of rounds) {
      const problem = await findProblemOf(line, round);
      if (problem !== undefined) return `line ${round.line}: ${problem}`;
    }
    return undefined;
  } finally {
    await line.close();
  }
}

async function findProblemOf(line: Line, { sent, expected }: Round): Promise<string | undefined> {
  const patterns = expected.flatMap((one) => (one.kind === 'answer' ? [one.pattern] : []));
  const close = expected.find((one) => one.kind === 'close');
  let heard: Heard;
  try {
    heard = await line.exchange(sent, { texts: patterns.length, close: close !== undefined });
  } catch (error) {
    return messageOf(error);
  }
  const leak = heard.texts.map(findLeak).find((found) => found !== undefined);
  if (leak !== undefined) return `the answer gives away ${leak}: ${heard.texts.join(' ').slice(0, 500)}`;
  if (heard.closedWith !== close?.code) {
    return close === undefined
      ? `the connection was closed with ${heard.closedWith}`
      : `the connection should have been closed with ${close.code}, not ${heard.closedWith ?? 'left open'}`;
  }
  const answers = heard.texts.map(parse);
  const unreadable = answers.find((answer) => answer instanceof Error);
  return unreadable instanceof Error ? unreadable.message : findMismatch(patterns, answers);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new Error(`the answer is not JSON: ${text.slice(0, 200)}`);
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
