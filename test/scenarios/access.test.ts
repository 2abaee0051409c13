import { createClient, mayAccess, type MethodName, methodNames, methods, type Role, roles } from '@baton/protocol';
import { callOverHttp, connect } from '@baton/sdk/connection';
import { Client as Database } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probes } from '../support/access-probes.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { noteFigures } from '../support/note-figures.ts';
import { callRaw, createTenant, imagineObjects, type Objects, type Tenant } from '../support/tenant.ts';

let daemon: Daemon;
beforeAll(async () => {
  // Nobody beats here, and what is foreign has to stay as it is to the end.
  daemon = await startDaemon({ store: 'postgresql', config: { leaseMs: 3_600_000 } });
});
/** How many calls were held to the table, and how many answers about foreign objects to those about missing ones. */
const figures = { calls: 0, foreign: 0 };
afterAll(async () => {
  noteFigures('access', { ...figures, methods: methodNames.length, roles: roles.length });
  await daemon.stop();
});

/** Whose session a role may speak in: its own. */
const workerFor = (role: Role): Role => (mayAccess(role, 'work') ? role : 'agent');

const probed = Object.keys(probes) as MethodName[];
const paramsOf = (method: MethodName, named: Objects, own: Objects): readonly unknown[] =>
  (probes[method] as (named: Objects, own: Objects) => readonly unknown[])(named, own);

/** What an answer says in one word. */
function outcomeOf(answer: string): string {
  const { error } = JSON.parse(answer.slice(answer.indexOf(' '))) as { error?: { data: { kind: string; needs?: string } } };
  return error === undefined ? 'a result' : [error.data.kind, error.data.needs].filter(Boolean).join(': ');
}

test('every method is probed', () => {
  expect(probed.toSorted()).toEqual([...methodNames].sort());
});

describe('with objects of its own project', () => {
  /** What else than a result an allowed call leads to. Subscriptions need a WebSocket. */
  const refusals = (project: string, role: Role): Partial<Record<MethodName, string>> => ({
    // Of itself an agent speaks in its session, and without one of nobody.
    'agent/setAvailability': role === 'agent' ? 'access_denied: operate' : 'a result',
    // Who may not work has no session, and another's is none.
    'context/rehydrate': mayAccess(role, 'work') ? 'a result' : 'session_unknown',
    'event/subscribe': 'invalid_request',
    'event/unsubscribe': 'subscription_not_found',
    'project/create': project === 'default' ? 'project_exists' : 'access_denied',
  });

  test.each(['default', 'north'].flatMap((project) => roles.map((role) => [role, project] as const)))(
    'the role %s may do in the project %s exactly what the table says',
    async (role, project) => {
      const { objects, tokens } = await createTenant(daemon, project, { worker: workerFor(role) });
      const wanted: string[] = [];
      const found: string[] = [];

      for (const method of probed) {
        const { access, session } = methods[method];
        const sessionToken = session ? objects.sessionToken : undefined;
        const expected = mayAccess(role, access) ? (refusals(project, role)[method] ?? 'a result') : `access_denied: ${access}`;
        for (const params of paramsOf(method, objects, objects)) {
          found.push(`${method}: ${outcomeOf(await callRaw(daemon, { method, params, token: tokens[role], sessionToken }))}`);
          wanted.push(`${method}: ${expected}`);
        }
      }

      figures.calls += found.length;
      expect(found).toEqual(wanted);
    },
  );
});

describe('an object of another project', () => {
  let north: Tenant;
  let south: Tenant;
  let nowhere: Objects;
  let before: readonly string[];
  beforeAll(async () => {
    // Nothing has been done in it before, such as taking a lock that ends by itself.
    north = await createTenant(daemon, 'far-north');
    south = await createTenant(daemon, 'south');
    nowhere = imagineObjects();
    before = await digest('far-north');
  });

  // In one order for all roles, so that what earlier calls made in the south is the same for both names.
  test.each(roles)('answers the role %s byte for byte as one that is nowhere', async (role) => {
    const own = await createTenant(daemon, 'south', { worker: workerFor(role) });
    const token = own.tokens[role];
    const { sessionToken } = own.objects;
    const differences: string[] = [];
    let compared = 0;

    for (const method of probed) {
      const foreign = paramsOf(method, north.objects, own.objects);
      for (const [index, missing] of paramsOf(method, nowhere, own.objects).entries()) {
        if (JSON.stringify(missing) === JSON.stringify(foreign[index])) continue;
        const one = anonymise(await callRaw(daemon, { method, params: foreign[index], token, sessionToken }), north.objects);
        const other = anonymise(await callRaw(daemon, { method, params: missing, token, sessionToken }), nowhere);
        compared += 1;
        if (one !== other) differences.push(`${method} ${JSON.stringify(foreign[index])}\n  ${one}\n  ${other}`);
      }
    }

    figures.foreign += compared;
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(40);
  });

  test.each(roles)('which is a session is no session to the role %s', async (role) => {
    const token = south.tokens[role];
    const wrong: string[] = [];

    for (const method of probed) {
      const [params] = paramsOf(method, south.objects, south.objects);
      const foreign = await callRaw(daemon, { method, params, token, sessionToken: north.objects.sessionToken });
      const missing = await callRaw(daemon, { method, params, token, sessionToken: nowhere.sessionToken });
      const expected = mayAccess(role, methods[method].access) ? 'session_unknown' : 'access_denied';
      if (foreign !== missing || !outcomeOf(foreign).startsWith(expected)) wrong.push(`${method}\n  ${foreign}\n  ${missing}`);
    }

    expect(wrong).toEqual([]);
  });

  test('is followed by nobody, over a WebSocket too', async () => {
    await using connection = await connect({ url: daemon.url, token: south.tokens.viewer, reconnect: false });

    const follow = (ticketId: string) => connection.client.event.subscribe({ ticketId });

    await expect(follow(north.objects.ticketId)).rejects.toMatchObject({ kind: 'ticket_not_found' });
    await expect(follow(nowhere.ticketId)).rejects.toMatchObject({ kind: 'ticket_not_found' });
  });

  test('is as it was after all that', async () => {
    expect(await digest('far-north')).toEqual(before);
  });
});

describe('an attempt of another agent of the project', () => {
  let tenant: Tenant;
  let otherSession: string;
  beforeAll(async () => {
    tenant = await createTenant(daemon, 'north');
    const { agent } = createClient(callOverHttp({ url: daemon.httpUrl, token: tenant.tokens.agent }));
    otherSession = (await agent.register({ name: 'another', capabilities: ['other'] })).resumeToken;
  });

  test.each([
    'task/progress',
    'task/complete',
    'task/fail',
    'task/release',
    'task/submit',
    'lock/acquire',
    'artifact/put',
    'context/note',
    'context/pin',
    'context/supersede',
  ] as const)('is none to %s', async (method) => {
    const { objects, tokens } = tenant;
    const [plain, fenced] = paramsOf(method, objects, objects);

    const answer = await callRaw(daemon, { method, params: fenced ?? plain, token: tokens.agent, sessionToken: otherSession });

    expect(outcomeOf(answer)).toBe('claim_stale');
  });
});

/** The answer without the names it was asked with, without names made for it, and without times. */
function anonymise(answer: string, named: Objects): string {
  let text = answer;
  // The longest first: some names are part of others.
  for (const [name, value] of Object.entries(named).toSorted(([, a], [, b]) => b.length - a.length))
    text = text.replaceAll(value, `<${name}>`);
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/"(resumeToken|token)":"[^"]+"/g, '"$1":"<secret>"')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/"(\w+Ms)":[\d.]+/g, '"$1":"<ms>"');
}

const tables = [
  'tokens',
  'workflows',
  'tickets',
  'tasks',
  'agents',
  'lock_grants',
  'artifacts',
  'context_items',
  'events',
  'idempotency_keys',
];

/** What is in the tables of a project, a digest each. */
async function digest(project: string): Promise<string[]> {
  const database = new Database(daemon.databaseUrl);
  await database.connect();
  try {
    const digests: string[] = [];
    for (const table of tables) {
      const { rows } = await database.query<{ n: string; md5: string }>(
        `select count(*) as n, md5(string_agg(t::text, '|' order by t::text)) from ${table} t join projects p on p.id = t.project_id where p.name = $1`,
        [project],
      );
      digests.push(`${table}: ${rows[0]!.n} ${rows[0]!.md5}`);
    }
    return digests;
  } finally {
    await database.end();
  }
}
