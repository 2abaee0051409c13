import { CoordinatorError, createClient } from '@baton/protocol';
import { callOverHttp, connect, type Disconnected } from '@baton/sdk/connection';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client as Database } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { runBatonAt } from '../support/command.ts';
import { createTestFolder } from '../support/database.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
import { runStatement } from '../support/stores.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql', config: { tokenCheckMs: 50 } });
  await daemon.client.project.create({ name: 'shop' });
});
afterAll(() => daemon.stop());

const baton = (...args: readonly string[]) => runBatonAt(daemon, ...args);
const clientWith = (token: string) => createClient(callOverHttp({ url: daemon.httpUrl, token }));
const newToken = async (...[given]: Parameters<Daemon['client']['token']['create']>) => (await daemon.client.token.create(given)).token;

describe('a token', () => {
  test('speaks for its role in its project, and is told once', async () => {
    const { token, ...made } = await daemon.client.token.create({ name: 'clerk', role: 'operator', project: 'shop', expiresInMs: 60_000 });

    const { tokens } = await daemon.client.token.list({ project: 'shop' });
    expect(await clientWith(token).coordinator.info()).toMatchObject({ project: 'shop', role: 'operator' });
    expect(made).toMatchObject({ name: 'clerk', role: 'operator', project: 'shop', state: 'active' });
    expect(tokens.find(({ id }) => id === made.id)).toMatchObject({ name: 'clerk', state: 'active', createdAt: made.createdAt });
    expect(JSON.stringify(tokens)).not.toContain(token.slice(-43));
  });

  test('is nowhere in the store, not even in the answer kept for its idempotency key', async () => {
    const token = await newToken({ name: 'secret', role: 'viewer', idempotencyKey: 'once-only' });
    const secret = token.slice(-43);

    const database = new Database(daemon.databaseUrl);
    await database.connect();
    const kept = await database.query<{ line: string }>(
      `select t::text as line from tokens t union all select k::text from idempotency_keys k union all select e::text from events e`,
    );
    await database.end();

    expect(kept.rows.some(({ line }) => line.includes('once-only'))).toBe(true);
    expect(kept.rows.filter(({ line }) => line.includes(secret))).toEqual([]);
  });

  test('asked for again with its key is the same token with another secret', async () => {
    const asked = { name: 'twice', role: 'viewer', idempotencyKey: 'asked-twice' } as const;
    const first = await daemon.client.token.create(asked);
    const second = await daemon.client.token.create(asked);

    const { tokens } = await daemon.client.token.list({ limit: 1_000 });
    expect(second.id).toBe(first.id);
    expect(tokens.filter(({ name }) => name === 'twice')).toHaveLength(1);
    expect((await clientWith(second.token).coordinator.info()).role).toBe('viewer');
    await expect(clientWith(first.token).coordinator.info()).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  test('is accepted no more once it is revoked, again is no error, and both are told in the stream', async () => {
    const { id, token } = await daemon.client.token.create({ name: 'short-lived', role: 'viewer' });
    await daemon.client.token.revoke({ tokenId: id });
    const again = await daemon.client.token.revoke({ tokenId: id.toUpperCase() });

    const { events } = await daemon.client.event.list({ limit: 1_000 });
    expect(again.state).toBe('revoked');
    expect(events.filter(({ data }) => (data as { tokenId?: string }).tokenId === id).map(({ name }) => name)).toEqual([
      'token.created',
      'token.revoked',
    ]);
    await expect(clientWith(token).coordinator.info()).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  test('that is not there, and a project that is not there, are said so', async () => {
    await expect(daemon.client.token.revoke({ tokenId: crypto.randomUUID() })).rejects.toMatchObject({ kind: 'token_not_found' });
    await expect(newToken({ name: 'lost', role: 'viewer', project: 'nowhere' })).rejects.toMatchObject({ kind: 'project_not_found' });
  });

  test('tokens are listed page by page, in the order of their making', async () => {
    await daemon.client.project.create({ name: 'paged' });
    const names = ['a', 'b', 'c'];
    for (const name of names) await newToken({ name, role: 'viewer', project: 'paged' });

    const first = await daemon.client.token.list({ project: 'paged', limit: 2 });
    const second = await daemon.client.token.list({ project: 'paged', limit: 2, after: first.next! });

    expect([...first.tokens, ...second.tokens].map(({ name }) => name)).toEqual(names);
    expect(second.next).toBeUndefined();
  });
});

describe('an admin', () => {
  test('of another project than the default makes tokens for its own, and knows no other', async () => {
    const shop = clientWith(await newToken({ name: 'owner', role: 'admin', project: 'shop' }));

    expect(await shop.token.create({ name: 'helper', role: 'agent' })).toMatchObject({ project: 'shop' });
    expect((await shop.project.list()).projects.map(({ name }) => name)).toEqual(['shop']);
    await expect(shop.token.create({ name: 'spy', role: 'admin', project: 'default' })).rejects.toMatchObject({
      kind: 'project_not_found',
    });
    await expect(shop.token.list({ project: 'default' })).rejects.toMatchObject({ kind: 'project_not_found' });
    await expect(shop.project.create({ name: 'default' })).rejects.toMatchObject({ kind: 'access_denied' });
  });

  test('of the default project sees all projects, and a new one has the built-in workflow', async () => {
    const shop = clientWith(await newToken({ name: 'clerk', role: 'operator', project: 'shop' }));

    expect((await daemon.client.project.list()).projects.map(({ name }) => name)).toEqual(expect.arrayContaining(['default', 'shop']));
    expect((await shop.ticket.create({ title: 'In the shop' })).phase).toBe('BACKLOG');
  });
});

describe('a connection', () => {
  test('whose token is accepted no more is found within five seconds, unless it is set otherwise', () => {
    expect(configSchema.parse({}).tokenCheckMs).toBeLessThan(5_000);
  });

  test('whose token is revoked is closed with 4001, and its client gives up', async () => {
    const { id, token } = await daemon.client.token.create({ name: 'leaver', role: 'agent' });
    await using connection = await connect({ url: daemon.url, token });
    await using other = await daemon.connect();
    const closings: Disconnected[] = [];
    const ended = new Promise<void>((resolve) => {
      connection.onClose((cause) => {
        closings.push(cause);
        if (!cause.willReconnect) resolve();
      });
    });

    await daemon.client.token.revoke({ tokenId: id });
    await ended;

    expect(closings).toMatchObject([
      { code: 4001, willReconnect: true },
      { code: 4001, willReconnect: false },
    ]);
    await expect(connection.client.coordinator.info()).rejects.toMatchObject({ kind: 'unauthenticated' });
    expect((await other.client.coordinator.info()).role).toBe('admin');
  });

  test('whose token is replaced in its file goes on with the new one', async () => {
    await using folder = await createTestFolder();
    const tokenFile = join(folder.path, 'token');
    const { id, token } = await daemon.client.token.create({ name: 'rotated', role: 'viewer' });
    await writeFile(tokenFile, token);
    await using connection = await connect({ url: daemon.url, tokenFile });
    const closed = new Promise<Disconnected>((resolve) => connection.onClose(resolve));

    await writeFile(tokenFile, await newToken({ name: 'rotated', role: 'operator' }));
    await daemon.client.token.revoke({ tokenId: id });

    expect(await closed).toMatchObject({ code: 4001 });
    expect((await connection.client.coordinator.info()).role).toBe('operator');
  });

  test('whose token expires is closed, and so ends a call over HTTP that waits for work', async () => {
    const { id, token } = await daemon.client.token.create({ name: 'brief', role: 'agent', expiresInMs: 3_600_000 });
    const bearer = { url: daemon.httpUrl, token };
    await using connection = await connect({ url: daemon.url, token, reconnect: false });
    const closed = new Promise<Disconnected>((resolve) => connection.onClose(resolve));
    const { resumeToken } = await createClient(callOverHttp(bearer)).agent.register({ name: 'brief', capabilities: ['nothing'] });

    const waiting = outcomeOf(createClient(callOverHttp({ ...bearer, sessionToken: resumeToken })).task.claim({ waitMs: 60_000 }));
    await eventually(async () => expect((await fetchFigures(daemon)).get('baton_claims_parked')).toBe(1));
    await runStatement(daemon.databaseUrl!, `update tokens set expires_at = clock_timestamp() where id = '${id}'`);

    expect(await waiting).toBe('cancelled');
    expect((await closed).code).toBe(4001);
    expect((await daemon.client.token.list({ limit: 1_000 })).tokens.find((each) => each.id === id)).toMatchObject({ state: 'expired' });
  });
});

describe('baton token', () => {
  test('create prints the token alone, list shows it, revoke ends it', async () => {
    const made = await baton('token', 'create', 'by hand', '--role', 'viewer', '--project', 'shop', '--expires', '30d');
    const token = made.stdout.trim();
    const [, id = ''] = /^baton_([0-9a-f-]{36})_/.exec(token) ?? [];
    const listed = await baton('token', 'list', '--project', 'shop');
    const accepted = await clientWith(token).coordinator.info();
    const revoked = await baton('token', 'revoke', id);

    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^baton_\S+\n$/) as string,
      stderr: expect.stringContaining(id) as string,
    });
    expect(accepted).toMatchObject({ project: 'shop', role: 'viewer' });
    expect(listed.stdout).toMatch(new RegExp(`by hand +viewer +shop +active +\\S.* +\\S+ +${id}`));
    expect(revoked.stdout).toBe('The token by hand (viewer in shop) is revoked.\n');
    await expect(clientWith(token).coordinator.info()).rejects.toBeInstanceOf(CoordinatorError);
  });

  test('create --out leaves the token in a file for its owner alone, which --token-file takes', async () => {
    await using folder = await createTestFolder();
    const file = join(folder.path, 'ci.token');

    const { code, stdout } = await baton('token', 'create', 'ci', '--role', 'agent', '--out', file, '--json');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'ci', role: 'agent', tokenFile: file });
    expect(stdout).not.toContain('baton_');
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
    expect((await clientWith((await readFile(file, 'utf8')).trim()).coordinator.info()).role).toBe('agent');
  });

  test.each([
    [['create', 'x'], 2, /--role/],
    [['create', 'x', '--role', 'king'], 2, /viewer, agent, operator, admin/],
    [['create', 'x', '--role', 'viewer', '--expires', 'soon'], 2, /30m, 12h or 90d/],
    [['create', 'x', '--role', 'viewer', '--project', 'nowhere'], 1, /project_not_found/],
    [['revoke', '00000000-0000-4000-8000-000000000000'], 1, /token_not_found/],
    [['revoke', 'x'], 1, /tokenId/],
  ])('%j ends with %i and says why', async (args, code, reason) => {
    const result = await baton('token', ...args);

    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(reason) as string });
  });
});

test('baton project makes and lists projects', async () => {
  const made = await baton('project', 'create', 'by hand');
  const again = await baton('project', 'create', 'by hand');
  const listed = await baton('project', 'list', '--json');

  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('--project "by hand"') as string });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('project_exists') as string });
  expect((JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name)).toContain('by hand');
});
