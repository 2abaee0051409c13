import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '@baton/sdk/connection';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findConversations } from '../../coordinator/src/cli/conformance/find-conversations.ts';
import type { Outcome } from '../../coordinator/src/cli/conformance/play-conversation.ts';
import { runBaton } from '../support/command.ts';
import { createTestDatabase, createTestFolder, type TestDatabase, type TestFolder } from '../support/database.ts';
import { noteFigures } from '../support/note-figures.ts';
import { type CommandResult, spawnBaton, spawnDaemon, type SpawnedDaemon } from '../support/process.ts';
import { startWrongServer } from './wrong-server.ts';

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly outcomes: readonly Outcome[];
}

const conversations = await findConversations([import.meta.dirname]);
const planned = conversations.flatMap(({ file, title, doors }) => doors.map((door) => ({ file, title, door })));

describe('baton conformance, held with a daemon', () => {
  let database: TestDatabase;
  let folder: TestFolder;
  let daemon: SpawnedDaemon;
  let result: CommandResult;
  let report: Report;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await createTestFolder('data');
    daemon = await spawnDaemon(['--data', folder.path, '--database-url', database.url]);
    const { httpUrl, tokenFile } = daemon.ready;
    result = await spawnBaton(['conformance', '--url', httpUrl, '--token-file', tokenFile, '--json']);
    report = JSON.parse(result.stdout) as Report;
    const frames = report.outcomes.reduce((sum, outcome) => sum + outcome.frames, 0);
    noteFigures('conformance', { frames, conversations: report.outcomes.length, failed: report.failed });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await folder.remove();
    await database.drop();
  });

  test.each(planned)('$door · $file · $title', ({ file, title, door }) => {
    const outcome = report.outcomes.find((played) => played.file === file && played.title === title && played.door === door);

    expect(outcome, 'it was held').toBeDefined();
    expect(outcome?.problem).toBeUndefined();
  });

  test('no two conversations of a file have one title', () => {
    expect(new Set(planned.map(({ file, title, door }) => `${file} ${title} ${door}`)).size).toBe(planned.length);
  });

  test('it ends with 0, having asked once more through each door', () => {
    expect(report.outcomes.filter(({ file }) => file === 'the end')).toHaveLength(2);
    expect(report).toMatchObject({ passed: planned.length + 2, failed: 0 });
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  test('the daemon lives, works, and has logged no failure of its own', async () => {
    await using connection = await connect({ url: daemon.ready.url, tokenFile: daemon.ready.tokenFile, reconnect: false });

    expect(await connection.client.coordinator.info()).toMatchObject({ name: 'baton' });
    expect((await connection.client.agent.list()).agents).toEqual([]);

    daemon.kill('SIGTERM');
    const { code, stderr } = await daemon.exited;
    const levels = stderr
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [(JSON.parse(line) as { level: number | string }).level] : []));
    expect(code).toBe(0);
    expect(levels.length).toBeGreaterThan(0);
    expect(levels.filter((level) => level === 'error' || level === 'fatal' || Number(level) >= 50)).toEqual([]);
  });
});

describe('baton conformance, held with a server that is wrong', () => {
  test('says what is wrong, and ends with 1', async () => {
    await using server = await startWrongServer();
    await using folder = await createTestFolder();
    const tokenFile = join(folder.path, 'token');
    await writeFile(tokenFile, 'anything\n');
    const files = ['01-specification.io', '02-json.io', '03-requests.io'].map((file) => join(import.meta.dirname, file));

    const args = ['conformance', ...files, '--url', server.url, '--token-file', tokenFile, '--timeout-ms', '2000'];
    const { code, stdout } = await runBaton(args);

    expect(code).toBe(1);
    expect(stdout).toMatch(/01-specification\.io +\d+ +\d+\/12 +\d+\/12/);
    for (const door of ['websocket', 'http']) {
      const problemOf = (title: string) => new RegExp(`FAILED .* · ${title} \\(${door}\\)\\n +(.*)`).exec(stdout)?.[1];
      expect(problemOf('a Notification')).toContain('unasked for: [{"jsonrpc":"2.0","id":null');
      expect(problemOf('rpc call with invalid JSON')).toContain('gives away the message of an exception');
      expect(problemOf('rpc call with positional parameters')).toContain('the answer.id is "1", not 1');
      expect(problemOf('rpc call Batch \\(all notifications\\)')).toContain('unasked for');
      expect(problemOf('a text')).toContain('the answer.error.code is -32601, not -32600');
      expect(problemOf('an extension that does not exist')).toMatch(/no answer/);
      expect(problemOf('rpc call of non-existent method')).toBeUndefined();
    }
    expect(stdout).toMatch(/\d+ passed, \d+ failed\n$/);
  });

  test('says where nothing answers', async () => {
    await using server = await startWrongServer();
    const { url } = server;
    await server.stop();
    await using folder = await createTestFolder();
    const tokenFile = join(folder.path, 'token');
    await writeFile(tokenFile, 'anything\n');

    const { code, stderr } = await runBaton(['conformance', '--url', url, '--token-file', tokenFile]);

    expect(code).toBe(1);
    expect(stderr).toContain('Nothing answers at');
  });

  test('says where a file cannot be understood', async () => {
    await using folder = await createTestFolder();
    const file = join(folder.path, 'mine.io');
    await writeFile(file, '=== mine\n--> {}\n<-- {\n');

    const { code, stderr } = await runBaton(['conformance', file]);

    expect(code).toBe(2);
    expect(stderr).toContain('mine.io:3:');
  });
});
