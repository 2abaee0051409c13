import { expect, test } from 'vitest';
import { readSettings } from './read-settings.ts';

const usual = readSettings({}, {}).plugins;

test('a plugin on the command line comes besides the usual ones', () => {
  expect(usual).toHaveLength(8);
  expect(readSettings({ plugin: ['./no-todo', '@acme/b'] }, {}).plugins).toEqual([...usual, './no-todo', '@acme/b']);
});

test('the setting is the exact list, and what is on the command line comes besides it', () => {
  const env = { BATON_PLUGINS: '@baton/plugin-criteria,./other' };

  expect(readSettings({}, env).plugins).toEqual(['@baton/plugin-criteria', './other']);
  expect(readSettings({ plugin: ['./no-todo'] }, env).plugins).toEqual(['@baton/plugin-criteria', './other', './no-todo']);
});

test('a setting that does not fit is wrong usage, and named', () => {
  expect(() => readSettings({}, { BATON_PORT: 'high' })).toThrow(/port \(BATON_PORT\)/);
});
