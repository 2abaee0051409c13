import { expect } from 'vitest';
import type { Daemon } from './daemon.ts';
import { eventually } from './eventually.ts';
import { readFigures } from './read-metrics.ts';

/** What a coordinator has measured. */
export async function fetchFigures({ httpUrl, token }: Pick<Daemon, 'httpUrl' | 'token'>): Promise<Map<string, number>> {
  const response = await fetch(`${httpUrl}/metrics`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } });
  return readFigures(await response.text());
}

/** Waits until a loop of a coordinator has come to the end of so many more runs. */
export async function awaitRuns(daemon: Pick<Daemon, 'httpUrl' | 'token'>, loop: string, runs: number): Promise<void> {
  const count = async () => (await fetchFigures(daemon)).get(`baton_loop_duration_seconds_count{loop="${loop}"}`) ?? 0;
  const before = await count();
  await eventually(async () => expect(await count()).toBeGreaterThanOrEqual(before + runs));
}
