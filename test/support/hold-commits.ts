import { Client } from 'pg';
import type { Daemon } from './daemon.ts';

interface Obstacle extends AsyncDisposable {
  letGo(): Promise<void>;
}

/** Every transaction that records an event stands still at its end, with all that it holds, until it is let go. */
export async function holdCommits({ databaseUrl }: Pick<Daemon, 'databaseUrl'>): Promise<Obstacle> {
  const obstacle = new Client(databaseUrl);
  await obstacle.connect();
  await obstacle.query('begin');
  await obstacle.query('select 1 from event_streams for update');
  let isOver = false;
  const letGo = async () => {
    if (isOver) return;
    isOver = true;
    await obstacle.query('commit');
    await obstacle.end();
  };
  return { letGo, [Symbol.asyncDispose]: letGo };
}
