import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Approval, Ticket } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBaton, runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTestFolder, type TestFolder } from '../support/database.ts';

let daemon: Daemon;
let folder: TestFolder;
beforeAll(async () => {
  daemon = await startDaemon();
  folder = await createTestFolder();
});
afterAll(async () => {
  await daemon.stop();
  await folder.remove();
});

const baton = (...args: readonly string[]) => runBatonAt(daemon, ...args);
const write = async (name: string, text: string): Promise<string> => {
  const file = join(folder.path, name);
  await writeFile(file, text);
  return file;
};

const workflow = `name: shipped by hand
phases:
  - name: PREPARE
    gate: { tasksMin: 0, approvals: [{ name: release, authorsMay: true }] }
  - name: DONE
  - name: BLOCKED
edges:
  - { from: PREPARE, to: DONE, kind: forward }
  - { from: PREPARE, to: BLOCKED, kind: block }
blockedPhase: BLOCKED
`;

describe('baton workflow', () => {
  test('check tells every mistake with its line and column', async () => {
    const file = await write(
      'wrong.yaml',
      workflow.replace('name: release', 'name: release, counts: 2').replace('kind: forward }', 'kind: forwards }'),
    );

    const { code, stderr } = await runBaton(['workflow', 'check', file]);

    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:4:55 phases[0].gate.approvals[0].counts: there is no such field`);
    expect(stderr).toContain(`${file}:8:38 edges[0].kind: expected one of`);
    expect(stderr).toContain('2 mistakes in');
  });

  test('check asks no coordinator, and says what it takes for offered there', async () => {
    const file = await write('checked.yaml', workflow);

    const [said, json, refused] = [
      await runBaton(['workflow', 'check', file]),
      await runBaton(['workflow', 'check', file, '--json']),
      await runBaton(['workflow', 'check', await write('twice.yaml', workflow.replace('DONE', 'PREPARE'))]),
    ];

    const assumed = 'No coordinator was asked: its plugins are taken to offer';
    const offered = 'command, coverage, criteria, exec, json-schema, junit, lease-guard, review';
    expect(said.stdout).toBe(`${file} has no mistakes.\n${assumed} ${offered}.\n`);
    expect(JSON.parse(json.stdout)).toEqual({ file, problems: [], validators: offered.split(', ') });
    expect(refused.stderr).toContain(`${assumed} ${offered}.\n`);
  });

  test('check finds unreachable phases, dead ends and unknown validators', async () => {
    const file = await write(
      'lost.yaml',
      workflow
        .replace('  - name: DONE', '  - name: LOST\n  - name: STUCK\n  - name: DONE')
        .replace('tasksMin: 0', 'tasksMin: 0, validators: [{ use: coverge }]')
        .replace('edges:', 'edges:\n  - { from: PREPARE, to: STUCK, kind: forward }\n  - { from: STUCK, to: BLOCKED, kind: block }'),
    );

    const { stderr } = await runBaton(['workflow', 'check', file]);

    expect(stderr).toContain(`${file}:4:46 phases[0].gate.validators[0].use: no enabled plugin offers the validator coverge`);
    expect(stderr).toContain(`${file}:5:5 phases[1]: no way leads from PREPARE to LOST`);
    expect(stderr).toContain(`${file}:6:5 phases[2]: STUCK is a dead end`);
  });

  test('put stores a version, the same again no other, and list tells it', async () => {
    const file = await write('flow.yaml', workflow);

    await baton('workflow', 'put', file);
    const again = await baton('workflow', 'put', file);
    const list = await baton('workflow', 'list');

    expect(again.stdout).toContain('shipped by hand is stored as version 1.');
    expect(list.stdout).toMatch(/shipped by hand\s+1\s+PREPARE DONE BLOCKED/);
  });

  test('graph prints mermaid, and draws a picture', async () => {
    const picture = join(folder.path, 'way.svg');

    const mermaid = await baton('workflow', 'graph', 'software-delivery');
    const drawn = await baton('workflow', 'graph', await write('flow.yml', workflow), '--svg', picture);

    expect(mermaid.stdout).toContain('  TESTING --> IMPLEMENTATION: regression\n');
    expect(mermaid.stdout).toContain('  note right of DESIGN\n    1 completed task\n  end note');
    expect(drawn.stdout).toBe(`${picture}\n`);
    expect(await readFile(picture, 'utf8')).toMatch(/<svg[\s\S]*PREPARE[\s\S]*release: 1 approval[\s\S]*<\/svg>/);
  });

  test('a file that is not there, and a workflow that is not stored, are named', async () => {
    const missing = await runBaton(['workflow', 'check', 'nowhere.yaml']);
    const unknown = await baton('workflow', 'graph', 'no-such');

    expect(missing).toMatchObject({ code: 2, stderr: 'There is no file nowhere.yaml.\n' });
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('No workflow has this name') as string });
  });
});

test('a ticket is created with what templates may name of it', async () => {
  const created = await baton('ticket', 'create', 'Index it', '--metadata', '{"area":"db"}', '--json');
  const refused = await baton('ticket', 'create', 'Index it', '--metadata', 'db');

  expect(JSON.parse(created.stdout)).toMatchObject({ metadata: { area: 'db' } });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected a JSON object such as {"area":"db"}.') as string });
});

test('what cannot be done is told with what can', async () => {
  const { id } = await daemon.client.ticket.create({ title: 'Lost' });
  const viewer = await daemon.connectAs('viewer');
  const said = async (...args: string[]) => (await baton(...args)).stderr;

  expect(await said('ticket', 'move', id, 'DONE')).toContain('No edge leads from BACKLOG to DONE; from BACKLOG it can go to REQUIREMENTS');
  expect(await said('ticket', 'move', id, 'DOME')).toContain('DOME is none of BACKLOG, REQUIREMENTS');
  expect(await said('ticket', 'create', 'x', '--workflow', 'artcle')).toMatch(
    /There is no workflow artcle; there are .*software-delivery\./,
  );
  expect(await said('ticket', 'show', id.slice(0, 8))).toContain('An id is a UUID, written in full.');
  await daemon.client.ticket.cancel({ ticketId: id, reason: 'Reported twice.' });
  expect(await said('ticket', 'move', id, 'REQUIREMENTS')).toContain('The ticket was cancelled in BACKLOG.');
  await expect(viewer.client.ticket.create({ title: 'x' })).rejects.toThrow(
    'It has the role viewer; ticket/create takes operator or admin.',
  );
  await expect(daemon.client.workflow.get({ name: 'software-delivery', version: 7 })).rejects.toThrow('the newest is 1.');
});

test('help with a command that is not there names it', async () => {
  expect(await runBaton(['gate', '--help'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("unknown command 'gate'") as string,
  });
});

test('a ticket is created, shown, waits for an approval, is rejected, approved and moved, all by hand', async () => {
  await baton('workflow', 'put', await write('by-hand.yaml', workflow));
  const created = await baton('ticket', 'create', 'Ship it', '--workflow', 'shipped by hand', '--json');
  const { id } = JSON.parse(created.stdout) as Ticket;

  const refused = await baton('ticket', 'move', id, 'DONE');
  const shown = await baton('ticket', 'show', id);
  const [approval] = JSON.parse((await baton('approvals', '--json')).stdout) as Approval[];
  const listed = await baton('approvals', '--ticket', id);
  const rejected = await baton('reject', approval!.id, '--comment', 'Not on a Friday.');
  await daemon.client.gate.validate({ ticketId: id, renew: true });
  const [renewed] = JSON.parse((await baton('approvals', '--json')).stdout) as Approval[];
  const approved = await baton('approve', renewed!.id);
  const moved = await baton('ticket', 'move', id, 'DONE', '--reason', 'It is Monday.');
  const decided = await baton('approvals', '--ticket', id, '--all');

  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('"release" waits for 1 approval') as string });
  expect(shown.stdout).toContain('The gate of PREPARE is waiting approval.');
  expect(listed.stdout).toMatch(/release\s+waiting\s+0\/1\s+operator, admin/);
  expect(rejected.stdout).toBe(`"release" of PREPARE in the ticket ${id} is refused; admin refused: Not on a Friday.\n`);
  expect(decided.stdout).toMatch(/refused\s+0\/1.*admin refused: Not on a Friday\.\n.*approved\s+1\/1.*admin approved/);
  expect(approved.stdout).toBe(`"release" of PREPARE in the ticket ${id} is approved.\n`);
  expect(moved.stdout).toBe(`${id} «Ship it» is in DONE, closed.\n`);
});

test('a refusal that is only counted is said to be taken, with what is still waited for', async () => {
  const counted = workflow.replace('shipped by hand', 'counted by hand').replace('authorsMay: true', 'by: [admin, ben], onRefusal: count');
  await baton('workflow', 'put', await write('counted.yaml', counted));
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Ship it', workflow: { name: 'counted by hand' } });
  await daemon.client.gate.validate({ ticketId });
  const [approval] = (await daemon.client.approval.list({ ticketId })).approvals;

  const rejected = await baton('reject', approval!.id, '--comment', 'Not on a Friday.');

  expect(rejected.stdout).toBe(`"release" of PREPARE in the ticket ${ticketId} waits on, with 0 of 1; admin refused: Not on a Friday.\n`);
});

test('a ticket is blocked, unblocked and cancelled by hand, with a reason where one is needed', async () => {
  const { id } = await daemon.client.ticket.create({ title: 'By hand' });

  const without = await baton('ticket', 'block', id);
  const blocked = await baton('ticket', 'block', id, '--reason', 'Later.');
  const unblocked = await baton('ticket', 'unblock', id);
  const cancelled = await baton('ticket', 'cancel', id, '--reason', 'Never.');

  expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining("required option '--reason <text>' not specified") as string });
  expect([blocked, unblocked, cancelled].map(({ stdout }) => stdout.trim())).toEqual([
    `${id} «By hand» is in BLOCKED, blocked.`,
    `${id} «By hand» is in BACKLOG, open.`,
    `${id} «By hand» is in BACKLOG, cancelled.`,
  ]);
});

test('a ticket is moved by hand only if it is still where it was seen', async () => {
  const { id } = await daemon.client.ticket.create({ title: 'By hand' });
  await daemon.client.ticket.transition({ ticketId: id, to: 'REQUIREMENTS' });

  const late = await baton('ticket', 'move', id, 'BLOCKED', '--visit', '1');
  const moved = await baton('ticket', 'move', id, 'BLOCKED', '--visit', '2');

  expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('It is in visit 2 by now, in REQUIREMENTS') as string });
  expect(moved.stdout).toBe(`${id} «By hand» is in BLOCKED, blocked.\n`);
});

test('evidence is listed and read, and what lies elsewhere is refused when it has changed', async () => {
  const { id } = await daemon.client.ticket.create({ title: 'With evidence' });
  const file = await write('log.txt', 'as it was');
  const sha256 = createHash('sha256').update('as it was').digest('hex');
  const uri = pathToFileURL(file).href;
  const stored = await daemon.client.artifact.put({ ticketId: id, artifact: { type: 'log', name: 'build', uri, sha256 } });

  const list = await baton('artifacts', id);
  const read = await baton('artifact', stored.id);
  await writeFile(file, 'as it is');
  const changed = await baton('artifact', stored.id);

  expect(list.stdout).toMatch(new RegExp(`${stored.id}\\s+BACKLOG\\s+1\\s+log\\s+build\\s+1`));
  expect(read).toMatchObject({ code: 0, stdout: 'as it was' });
  expect(changed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is not what was stored') as string });
});

test('what evidence holds for a terminal is shown to one, and stays as it is for a program and in a file', async () => {
  const { id } = await daemon.client.ticket.create({ title: 'With evidence' });
  const content = 'Done.\u001B[2J\u001B]0;owned\u0007\tyes\n';
  const uri = pathToFileURL(await write('loud.txt', content)).href;
  const sha256 = createHash('sha256').update(content).digest('hex');
  const stored = await daemon.client.artifact.put({ ticketId: id, artifact: { type: 'log', uri, sha256 } });
  const asked = ['artifact', stored.id, '--url', daemon.httpUrl, '--token-file', daemon.tokenFile];
  const out = join(folder.path, 'content.txt');

  const seen = await runBaton(asked, { isTTY: true });
  const piped = await runBaton(asked);
  await runBaton([...asked, '--out', out], { isTTY: true });

  expect(seen.stdout).toBe('Done.\\u001b[2J\\u001b]0;owned\\u0007\tyes\n');
  expect(piped.stdout).toBe(content);
  expect(await readFile(out, 'utf8')).toBe(content);
});
