import { type Access, mayAccess, methodNames, methods, roleAccess, roles } from '@baton/protocol';
import { tokenEndedCode } from '@baton/sdk/connection';
import { code, pageHead, table } from './markdown.ts';

const meanings: Readonly<Record<Access, string>> = {
  read: 'looks',
  work: 'does what agents do',
  operate: 'steers tickets and tasks',
  administer: 'overrides rules, makes projects and tokens',
};

/** Who may do what: the roles, and each method with each role. A test holds a running coordinator to this page. */
export function accessPage(): string {
  return [
    pageHead('Access', '@baton/protocol'),
    'A call is made with a token, and a token speaks for one role in one project. Nothing else is asked.\n',
    '## Roles\n',
    table(
      ['role', ...accesses.map((access) => `${code(access)}: ${meanings[access]}`)],
      roles.map((role) => [code(role), ...accesses.map((access) => tick(mayAccess(role, access)))]),
    ),
    '\n## Projects\n',
    projects,
    '## Tokens\n',
    tokens,
    '## Methods\n',
    table(
      ['method', 'needs', ...roles],
      methodNames.map((name) => [
        code(name),
        code(methods[name].access),
        ...roles.map((role) => tick(mayAccess(role, methods[name].access))),
      ]),
    ),
    '',
  ].join('\n');
}

const accesses = Object.keys(meanings) as Access[];
const tick = (may: boolean) => (may ? '✓' : '');

const projects = `A token sees and changes its own project. What belongs to another is answered exactly as what does not exist: with the same error,
in the same words. Lock keys, agents' names, workflows and the numbers of events are each project's own.

An admin (${code('admin')}) of the project ${code('default')} looks after all projects: only it may make them with ${code('project/create')}, sees them all in
${code('project/list')}, and may name another project in ${code('token/create')} and ${code('token/list')}. Tickets, tasks and all else of other projects it sees no more than
others do: for that it makes itself a token there.
`;

const tokens = `${code('baton token create NAME --role ROLE [--project PROJECT] [--expires 30d]')} tells a new token once. It looks like ${code('baton_<id>_<secret>')} and is sent
as ${code('Authorization: Bearer …')}, never in a URL. The coordinator keeps a hash. ${code('baton token list')} and ${code('baton token revoke ID')} do what they say.
The first token, an admin's of the project ${code('default')}, is in the file ${code('token')} of the data folder, which its owner alone may read.

Once a token is revoked or has expired, no request and no new connection is accepted with it. Within five seconds its connections are closed with
the WebSocket close code ${code(String(tokenEndedCode))}, and its waiting HTTP calls end as cancelled. The SDK then reads its token file once more, and ends with ${code('unauthenticated')}
if what it finds there is not accepted either. Other close codes of ours: 1001 the coordinator stops, 1003 a binary frame, 4008 the connection was
not read fast enough.

${Object.keys(roleAccess).length} roles, one table: the contract (${code('sdk/protocol/src/access.ts')}) is all that decides, and ${code('test/scenarios/access.test.ts')} calls every method in every role, with
objects of its own project and of another.
`;
