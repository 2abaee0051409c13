import { expect, test } from 'vitest';
import { resumeCommand } from './resume-command.ts';

test.each([
  [{}, 'baton run plan.yaml --resume'],
  [{ data: 'my data' }, "baton run plan.yaml --resume --data 'my data'"],
  [{ url: 'http://127.0.0.1:4766', tokenFile: "it's" }, "baton run plan.yaml --resume --url http://127.0.0.1:4766 --token-file 'it'\\''s'"],
  [{ plugin: ['./no-todo', '@acme/b'] }, 'baton run plan.yaml --resume --plugin ./no-todo --plugin @acme/b'],
  [{ databaseUrl: 'postgres://me:secret@here/baton' }, 'baton run plan.yaml --resume --database-url …'],
])('a run with %j is gone on with where it took place', (place, command) => {
  expect(resumeCommand('plan.yaml', place)).toBe(command);
});
