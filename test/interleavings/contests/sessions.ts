import type { Result } from '@baton/protocol';
import { expect } from 'vitest';
import { answerOf, contestOf, kindOf, side } from '../contest.ts';
import type { Contest } from '../explorer.ts';
import { noPause, sweepSessions } from '../sweepers.ts';
import type { World } from '../world.ts';

const beyondLeaseMs = 61_000;

/** W10 a task that is completed while its session expires is completed or lost, as was answered, in every interleaving. */
export const completeWhileExpiring = (world: World): Contest =>
  contestOf(world, async () => {
    const worker = await world.createWorker();
    const locks = [{ key: `test:${crypto.randomUUID()}` }];
    const [taskId] = await world.submit({ type: worker.type, locks });
    await worker.at(world.c).task.claim({});
    await world.passTime(beyondLeaseMs);
    await noPause(world.c);
    const artifacts = [{ type: 'report', content: { of: taskId! } }];
    return {
      sides: [
        side('complete', world.a, () => worker.at(world.a).task.complete({ taskId: taskId!, attempt: 1, output: 'done', artifacts })),
        side('expire', world.b, () => sweepSessions(world.b)),
      ],
      async check({ complete }) {
        const answer = kindOf(complete);
        expect(['ok', 'session_unknown']).toContain(answer);
        const found = await world.rows(
          `select t.state, t.output, t.session_id is null as free, n.outcome, (select count(*)::int from artifacts a where a.task_id = t.id) as artifacts,
           (select ended_at is not null from sessions where id = $2) as expired
         from tasks t join attempts n on n.task_id = t.id where t.id = $1`,
          [taskId, worker.session.sessionId],
        );
        expect(found).toEqual([
          answer === 'ok'
            ? { state: 'completed', output: 'done', free: false, outcome: 'completed', artifacts: 1, expired: true }
            : { state: 'ready', output: null, free: true, outcome: 'lost', artifacts: 0, expired: true },
        ]);
      },
    };
  });

/** W13 an agent that drains is given nothing after the answer, which tells all that it runs, in every interleaving. */
export const drainWhileClaiming = (world: World): Contest =>
  contestOf(world, async () => {
    const worker = await world.createWorker();
    await world.submit({ type: worker.type });
    return {
      sides: [
        side('drain', world.a, () => worker.at(world.a).agent.drain({})),
        side('claim', world.b, () => worker.at(world.b).task.claim({})),
      ],
      async check({ drain, claim }) {
        const { running } = answerOf<Result<'agent/drain'>>(drain) as Result<'agent/drain'>;
        const { claims } = answerOf<Result<'task/claim'>>(claim) as Result<'task/claim'>;
        expect(running).toBe(claims.length);
        expect((await worker.at(world.c).task.claim({})).claims).toEqual([]);
      },
    };
  });

/** HB a beat that comes while the session expires saves it or comes too late, in every interleaving. */
export const beatWhileExpiring = (world: World): Contest =>
  contestOf(world, async () => {
    const worker = await world.createWorker();
    const { sessionId } = worker.session;
    const [taskId] = await world.submit({ type: worker.type });
    await worker.at(world.c).task.claim({});
    await world.passTime(beyondLeaseMs);
    await noPause(world.c);
    return {
      sides: [
        side('beat', world.a, () => {
          world.a.parts.live.touch(sessionId);
          return sweepSessions(world.a);
        }),
        side('expire', world.b, () => sweepSessions(world.b)),
      ],
      async check({ beat, expire }) {
        expect([kindOf(beat), kindOf(expire)]).toEqual(['ok', 'ok']);
        const [session] = await world.rows<{ ended: boolean; alive: boolean }>(
          'select ended_at is not null as ended, lease_until > test_clock.clock_timestamp() as alive from sessions where id = $1',
          [sessionId],
        );
        expect(session!.ended).toBe(!session!.alive);
        expect(await world.rows('select state from tasks where id = $1', [taskId])).toEqual([
          { state: session!.ended ? 'ready' : 'running' },
        ]);
      },
    };
  });

/** A session that is resumed while it expires goes on with its tasks or is a new one without, in every interleaving. */
export const resumeWhileExpiring = (world: World): Contest =>
  contestOf(world, async () => {
    const worker = await world.createWorker();
    const [taskId] = await world.submit({ type: worker.type });
    await worker.at(world.c).task.claim({});
    await world.passTime(beyondLeaseMs - 2_000);
    await noPause(world.c);
    return {
      sides: [
        side('resume', world.a, () => worker.register(world.a)),
        side('time', world.c, () => world.c.db.em.fork().execute('select test_clock.pass(2000)')),
        side('expire', world.b, () => sweepSessions(world.b)),
      ],
      async check({ resume }) {
        const { resumed, epoch, attempts, sessionId } = answerOf<Result<'agent/register'>>(resume) as Result<'agent/register'>;
        expect(epoch).toBe(resumed ? 1 : 2);
        expect(attempts).toEqual(resumed ? [{ taskId, attempt: 1 }] : []);
        expect(await world.rows('select id from sessions where agent_id = $1 and ended_at is null', [worker.session.agentId])).toEqual([
          { id: sessionId },
        ]);
        expect(await world.rows('select state from tasks where id = $1', [taskId])).toEqual([{ state: resumed ? 'running' : 'ready' }]);
      },
    };
  });
