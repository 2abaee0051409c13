import type { Client } from '@baton/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { runStatement } from '../support/stores.ts';
import { outcomeOf } from '../support/work.ts';
import * as model from './approval-model.ts';
import { readModelSettings } from './settings.ts';

const { runs, timeoutMs, ...settings } = readModelSettings();
let daemon: Daemon;
let people: ReadonlyMap<model.Voice, Client>;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql' });
  people = new Map(
    await Promise.all(model.voices.map(async (voice) => [voice, (await daemon.connectAs('operator', voice)).client] as const)),
  );
  for (const cancelsOthers of [true, false])
    await daemon.client.workflow.put({
      definition: {
        name: workflowOf(cancelsOthers),
        phases: [
          {
            name: 'WORK',
            gate: { tasksMin: 0, approvals: [...model.rules], onApprovalRefused: cancelsOthers ? 'cancel_others' : 'keep_others' },
          },
          { name: 'DONE' },
        ],
        edges: [{ from: 'WORK', to: 'DONE', kind: 'forward' }],
      },
    });
});
afterAll(() => daemon.stop());

const workflowOf = (cancelsOthers: boolean) => `approvals that ${cancelsOthers ? 'cancel' : 'keep'} others`;

const name = fc.constantFrom(...model.rules.map((rule) => rule.name));
const voice = fc.constantFrom(...model.voices);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('validate' as const), renew: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      name,
      voice,
      decision: fc.constantFrom<model.Decision[]>('approve', 'approve', 'refuse'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const), author: fc.option(voice, { nil: undefined }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const all = (ticketId: string) =>
  daemon.client.approval.list({ ticketId, states: ['waiting', 'approved', 'refused', 'expired', 'cancelled'], limit: 1_000 });

/** Takes a step in the coordinator and in the model. Returns what each has answered. */
async function take(ticketId: string, expected: model.ApprovalModel, each: Step): Promise<[unknown, unknown]> {
  switch (each.do) {
    case 'validate':
      await daemon.client.gate.validate({ ticketId, renew: each.renew });
      return [undefined, model.validate(expected, each.renew)];
    case 'decide': {
      const asked = (await all(ticketId)).approvals.findLast(({ rule }) => rule.name === each.name);
      const answer = model.decide(expected, each.name, [each.voice, each.decision]);
      if (asked === undefined) return [undefined, answer];
      const comment = each.decision === 'refuse' ? { comment: 'No.' } : {};
      const decided = people.get(each.voice)!.approval.decide({ approvalId: asked.id, decision: each.decision, ...comment });
      const kind = await outcomeOf(decided);
      return [kind === 'accepted' ? (await decided).state : kind, answer];
    }
    case 'expire':
      // The clock of the database cannot be set; what it is compared with can.
      await runStatement(
        daemon.databaseUrl!,
        `update approvals set expires_at = clock_timestamp() where state = 'waiting' and ticket_id = '${ticketId}' and id =
           (select id from approvals where ticket_id = '${ticketId}' and name = '${each.name}' order by id desc limit 1)`,
      );
      return [undefined, model.expire(expected, each.name)];
    case 'change': {
      const by = each.author === undefined ? daemon.client : people.get(each.author)!;
      await by.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: String(expected.evidence) } } });
      return [undefined, model.change(expected, each.author)];
    }
  }
}

test(
  `approvals are what a plain list of them says, whatever is asked and decided (seed ${settings.seed}, ${runs} histories)`,
  () =>
    fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 4, maxLength: 20, size: 'max' }), async (cancelsOthers, steps) => {
        const { id: ticketId } = await daemon.client.ticket.create({ title: 'Asked for', workflow: { name: workflowOf(cancelsOthers) } });
        const expected: model.ApprovalModel = { cancelsOthers, approvals: [], authors: new Set(), evidence: 0 };

        for (const each of [{ do: 'validate', renew: false } as const, ...steps]) {
          const [answer, wanted] = await take(ticketId, expected, each);
          expect({ each, answer }).toEqual({ each, answer: wanted });
          const { approvals } = await all(ticketId);
          const found = approvals.map(({ rule, state, decisions }) => [
            rule.name,
            state,
            decisions.map(({ by, decision }) => [by, decision]),
          ]);
          expect({ each, found }).toEqual({
            each,
            found: expected.approvals.map(({ name, state, decisions }) => [name, state, [...decisions]]),
          });
        }
        const { missing } = await daemon.client.gate.status({ ticketId });
        expect(missing.map(({ approval, code }) => `${approval?.name} ${code.replace('approval_', '')}`)).toEqual(
          model.listMissing(expected),
        );
      }),
      { ...settings, numRuns: runs },
    ),
  timeoutMs,
);
