import { afterAll, beforeAll, expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { openStore, type Store } from '../../coordinator/src/db/open-store.ts';
import { takePlace } from '../../coordinator/src/gate/judgement-place.ts';
import { createJudgementTurns, type Turn } from '../../coordinator/src/gate/judgement-turns.ts';
import { ensureDefaultProject } from '../../coordinator/src/project/project.service.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';

let daemon: Daemon;
let store: Store;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql', config: { plugins: ['@baton/plugin-command'] } });
  store = await openStore(configSchema.parse({ databaseUrl: daemon.databaseUrl }));
});
afterAll(async () => {
  await store.close();
  await daemon.stop();
});

/** A ticket whose gate would ask a validator, the line of another coordinator, and what was asked of that line. */
async function openTicket() {
  const name = `places ${crypto.randomUUID()}`;
  const gate = { tasksMin: 0, validators: [{ use: 'command', config: { command: ['true'] } }] };
  const edges = [{ from: 'BUILD', to: 'DONE', kind: 'forward' as const }];
  await daemon.client.workflow.put({ definition: { name, phases: [{ name: 'BUILD', gate }, { name: 'DONE' }], edges } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'To be judged', workflow: { name } });
  const turns = createJudgementTurns(configSchema.parse({ databaseUrl: daemon.databaseUrl }));
  const asked: boolean[] = [];
  const take = (turn: Turn, signal?: AbortSignal) => {
    asked.push(turn.isLarge);
    return turns.take(turn, signal);
  };
  const takeFree = (turn: Turn) => {
    const leave = turns.takeFree(turn);
    if (leave !== undefined) asked.push(turn.isLarge);
    return leave;
  };
  const turn = { projectId: await ensureDefaultProject(store.em.fork()), ticketId, purpose: 'validation' } as const;
  const addLogs = async () => {
    for (const number of [1, 2, 3])
      await daemon.client.artifact.put({ ticketId, artifact: { type: 'log', name: `log ${number}`, content: 'x'.repeat(400_000) } });
  };
  return { asked, addLogs, turn, turns, enter: () => takePlace({ em: store.em.fork(), turns: { take, takeFree } }, turn, undefined) };
}

test('what has much to be shown waits once, among those that have as much', async () => {
  const { asked, addLogs, enter } = await openTicket();
  await addLogs();

  using place = await enter();

  expect(asked).toEqual([true]);
  expect(place.contentBytes).toBeGreaterThan(1_200_000);
});

test('what has come to be much while it waited gives its place back for one among those', async () => {
  const { asked, addLogs, enter, turn, turns } = await openTicket();
  const leave = await turns.take({ ...turn, isLarge: false });
  const entered = enter();
  await eventually(() => expect(asked).toEqual([false]));
  await addLogs();

  leave();
  using place = await entered;

  expect(asked).toEqual([false, true]);
  expect(place.contentBytes).toBeGreaterThan(1_200_000);
});
