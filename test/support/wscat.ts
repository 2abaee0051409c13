import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Daemon } from './daemon.ts';

/** What somebody at a terminal has: frames go out, frames come in. */
export interface Wscat extends AsyncDisposable {
  send(frame: string): void;
  /** The next frame that has come. */
  next(): Promise<string>;
}

const program = join(import.meta.dirname, '..', '..', 'node_modules', 'wscat', 'bin', 'wscat');

const probeId = 'are you there';
const probe = JSON.stringify({ jsonrpc: '2.0', id: probeId, method: 'coordinator/info' });
const probeMs = 100;

/**
 * Connects with the real `wscat`, as the guides do. Without a terminal it does not say when it is connected, and what is sent
 * before is lost: so it is asked until it answers.
 */
export async function startWscat({ url, token }: Pick<Daemon, 'url' | 'token'>): Promise<Wscat> {
  const child = spawn(process.execPath, [program, '-c', url, '-H', `Authorization: Bearer ${token}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextFrame = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('wscat has ended.');
    return value.slice(Math.max(0, value.indexOf('{')));
  };
  const send = (frame: string) => void child.stdin.write(`${frame}\n`);

  const asking = setInterval(() => send(probe), probeMs);
  while (!(await nextFrame()).includes(probeId));
  clearInterval(asking);
  return {
    send,
    async next() {
      for (;;) {
        const frame = await nextFrame();
        if (!frame.includes(probeId)) return frame;
      }
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}
