import type { Client, WorkflowDefinitionInput } from '@baton/protocol';
import { connect } from '@baton/sdk/connection';
import { describe, expect, test } from 'vitest';
import { type AskedProgram, createAskedProgram } from '../support/asked-program.ts';
import { startDaemon } from '../support/daemon.ts';
import { createTestDatabase, createTestFolder } from '../support/database.ts';
import { followEvents } from '../support/events.ts';
import { spawnDaemon } from '../support/process.ts';
import { outcomeOf } from '../support/work.ts';

const config = { plugins: ['@baton/plugin-command'] };

/** A ticket in a phase whose gate asks the program. */
async function openTicket(client: Client, { validator }: AskedProgram, build: Partial<WorkflowDefinitionInput['phases'][number]> = {}) {
  const name = `cut short ${crypto.randomUUID()}`;
  await client.workflow.put({
    definition: {
      name,
      phases: [
        { name: 'BUILD', gate: { tasksMin: 0, validators: [validator] }, ...build },
        { name: 'DONE' },
        { name: 'OVER' },
        { name: 'STUCK' },
      ],
      edges: [
        { from: 'BUILD', to: 'DONE', kind: 'forward' },
        { from: 'BUILD', to: 'STUCK', kind: 'block' },
        { from: 'DONE', to: 'BUILD', kind: 'regression' },
        { from: 'DONE', to: 'OVER', kind: 'forward' },
      ],
      blockedPhase: 'STUCK',
    },
  });
  return (await client.ticket.create({ title: 'Judged slowly', workflow: { name } })).id;
}

const outcomes = async (client: Client, ticketId: string) =>
  (await client.gate.results({ ticketId })).results.map(({ outcome }) => outcome);

describe('a judgement that is cut short', () => {
  test('by the end of its coordinator has said nothing: the ticket is where it was, and the next coordinator judges it', async () => {
    await using database = await createTestDatabase();
    await using program = await createAskedProgram();
    const first = await startDaemon({ databaseUrl: database.url, config });
    const ticketId = await openTicket(first.client, program, { advance: 'automatic' });
    const cutShort = await program.run(1);

    await first.stop();

    await cutShort.ended;
    await using second = await startDaemon({ databaseUrl: database.url, config });
    const events = await followEvents(second.connection);
    const again = await program.run(2);
    expect(await second.client.ticket.get({ ticketId })).toMatchObject({ phase: 'BUILD', state: 'open', visit: 1 });
    expect(await outcomes(second.client, ticketId)).toEqual([]);
    again.exitWith(0);
    expect((await events.waitFor('ticket.transitioned')).data).toMatchObject({ ticketId, to: 'DONE' });
    expect(await outcomes(second.client, ticketId)).toEqual(['passed']);
  });

  test('by a caller who leaves has said nothing', async () => {
    await using program = await createAskedProgram();
    await using daemon = await startDaemon({ config });
    const ticketId = await openTicket(daemon.client, program);
    const caller = await daemon.connect();
    const asked = caller.client.gate.validate({ ticketId }).catch(() => 'left');
    const cutShort = await program.run(1);

    await caller.close();

    await cutShort.ended;
    expect(await asked).toBe('left');
    const again = daemon.client.gate.validate({ ticketId });
    (await program.run(2)).exitWith(0);
    await again;
    expect(await outcomes(daemon.client, ticketId)).toEqual(['passed']);
  });

  test('by kill -9 is made anew, once, for whoever sends the call again', async () => {
    await using database = await createTestDatabase();
    await using folder = await createTestFolder('data');
    await using program = await createAskedProgram();
    const start = async () => {
      const args = ['--data', folder.path, '--database-url', database.url];
      const daemon = await spawnDaemon(args, { env: { BATON_PLUGINS: config.plugins.join(',') } });
      const connection = await connect({ url: daemon.ready.url, tokenFile: daemon.ready.tokenFile, reconnect: false });
      return { daemon, connection, client: connection.client };
    };
    const first = await start();
    const call = { ticketId: await openTicket(first.client, program), idempotencyKey: 'once' };
    const asked = first.client.gate.validate(call).catch(() => 'died');
    const cutShort = await program.run(1);

    first.daemon.kill('SIGKILL');

    expect(await asked).toBe('died');
    await Promise.all([cutShort.ended, first.daemon.exited, first.connection.close()]);
    const second = await start();
    await using _daemon = second.daemon;
    await using _connection = second.connection;
    const asking = second.client.gate.validate(call);
    (await program.run(2)).exitWith(0);
    const answer = await asking;
    expect(await second.client.gate.validate(call)).toEqual(answer);
    expect(await outcomes(second.client, call.ticketId)).toEqual(['passed']);
    expect(program.runs).toBe(2);
  });
});

describe('a call with a key', () => {
  test('gate/validate is answered as before when it is sent again, and asks no validator', async () => {
    await using program = await createAskedProgram();
    await using daemon = await startDaemon({ config });
    const call = { ticketId: await openTicket(daemon.client, program), idempotencyKey: 'once' };
    const asking = daemon.client.gate.validate(call);
    (await program.run(1)).exitWith(1);
    const answer = await asking;

    const again = await daemon.client.gate.validate(call);

    expect(again).toEqual(answer);
    expect(await outcomeOf(daemon.client.gate.validate({ ...call, renew: true }))).toBe('idempotency_conflict');
    expect(await outcomes(daemon.client, call.ticketId)).toEqual(['failed']);
    expect(program.runs).toBe(1);
  });

  test('gate/validate sent twice at once is judged once', async () => {
    await using program = await createAskedProgram();
    await using daemon = await startDaemon({ config });
    const other = await daemon.connect();
    const call = { ticketId: await openTicket(daemon.client, program), idempotencyKey: 'once' };

    const both = Promise.all([daemon.client.gate.validate(call), other.client.gate.validate(call)]);
    (await program.run(1)).exitWith(0);

    const [one, two] = await both;
    expect(two).toEqual(one);
    expect(await outcomes(daemon.client, call.ticketId)).toEqual(['passed']);
    expect(program.runs).toBe(1);
  });

  test('gate/validate sent to two coordinators at once is recorded once', async () => {
    await using database = await createTestDatabase();
    await using program = await createAskedProgram();
    await using first = await startDaemon({ databaseUrl: database.url, config });
    await using second = await startDaemon({ databaseUrl: database.url, config });
    const { token } = await first.client.token.create({ name: 'twice', role: 'agent' });
    const connections = await Promise.all([first, second].map(({ url }) => connect({ url, token, reconnect: false })));
    const call = { ticketId: await openTicket(first.client, program), idempotencyKey: 'once' };

    const both = Promise.all(connections.map(({ client }) => client.gate.validate(call)));
    // Both are under way before one is answered.
    const runs = [await program.run(1), await program.run(2)];
    for (const run of runs) run.exitWith(0);

    const [one, two] = await both;
    await Promise.all(connections.map(({ close }) => close()));
    expect(two).toEqual(one);
    expect(await outcomes(first.client, call.ticketId)).toEqual(['passed']);
  });

  test('ticket/transition is answered as before when it is sent again, though the ticket has come back, and judges nothing', async () => {
    await using program = await createAskedProgram();
    await using daemon = await startDaemon({ config });
    const ticketId = await openTicket(daemon.client, program);
    const call = { ticketId, to: 'DONE', idempotencyKey: 'once' };
    const first = daemon.client.ticket.transition(call);
    (await program.run(1)).exitWith(0);
    await first;
    await daemon.client.ticket.transition({ ticketId, to: 'BUILD', reason: 'Once more.' });

    const again = await daemon.client.ticket.transition(call);

    expect(again).toEqual(await first);
    expect(await outcomeOf(daemon.client.ticket.transition({ ...call, reason: 'Another.' }))).toBe('idempotency_conflict');
    expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'BUILD', visit: 3 });
    expect(await outcomes(daemon.client, ticketId)).toEqual(['passed']);
    expect(program.runs).toBe(1);
  });
});
