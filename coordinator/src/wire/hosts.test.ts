import { describe, expect, test } from 'vitest';
import { isLoopback, type KnownHosts, refuseStranger } from './hosts.ts';

const known = (isTls = false): KnownHosts => ({ isTls, isOurs: (name) => name === 'baton.example' || name === '192.168.1.7' });

test.each([
  ['localhost', true],
  ['LOCALHOST', true],
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['[::1]', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.7', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.', false],
])('%s is of this machine only: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

describe('a Host', () => {
  test.each(['localhost', 'localhost:4766', '127.0.0.1:4766', '[::1]:4766', 'baton.example', 'BATON.example:4766', '192.168.1.7:4766'])(
    '%s is ours',
    (host) => {
      expect(refuseStranger({ host }, known())).toBeUndefined();
    },
  );

  // The name of the attacker's page, pointed to our address once the page is loaded.
  test.each([
    'evil.example',
    'evil.example:4766',
    '127.0.0.1.evil.example:4766',
    'baton.example.evil.example',
    '192.168.1.8',
    '0.0.0.0:4766',
    '[::]:4766',
  ])('%s is a name of somebody else', (host) => {
    expect(refuseStranger({ host }, known())).toMatch(/names another host/);
  });

  test.each([
    undefined,
    '',
    ' ',
    ':4766',
    'localhost/',
    'localhost/evil.example',
    'localhost?evil.example',
    'localhost#evil.example',
    'localhost\\evil.example',
    'evil.example@localhost',
    '@localhost',
    'localhost:4766@evil.example',
    'localhost:99999',
    'localhost evil.example',
    'localhost,evil.example',
  ])('%j is none', (host) => {
    expect(refuseStranger({ host }, known())).toMatch(/missing or malformed|names another host/);
  });
});

describe('an Origin', () => {
  test.each([
    ['http://localhost:4766', 'localhost:4766'],
    ['http://127.0.0.1', '127.0.0.1:80'],
    ['http://[::1]:4766', '[::1]:4766'],
    ['http://LOCALHOST:4766', 'localhost:4766'],
    // What ends TLS stands in front.
    ['https://baton.example', 'baton.example'],
  ])('%s may speak to %s', (origin, host) => {
    expect(refuseStranger({ host, origin }, known())).toBeUndefined();
  });

  test.each([
    ['https://evil.example', 'localhost:4766'],
    ['http://localhost', 'localhost:4766'],
    ['http://localhost:4767', 'localhost:4766'],
    ['http://127.0.0.1:4766', 'localhost:4766'],
    ['http://localhost:4766.evil.example', 'localhost:4766'],
    ['http://localhost:4766@evil.example', 'localhost:4766'],
    ['file:///tmp/page.html', 'localhost:4766'],
    ['chrome-extension://localhost:4766', 'localhost:4766'],
    ['ws://localhost:4766', 'localhost:4766'],
    ['null', 'localhost:4766'],
    ['', 'localhost:4766'],
    ['*', 'localhost:4766'],
  ])('%s may not speak to %s', (origin, host) => {
    expect(refuseStranger({ host, origin }, known())).toMatch(/other origins/);
  });

  test('that was not encrypted may not speak to a coordinator with TLS', () => {
    expect(refuseStranger({ host: 'baton.example:4766', origin: 'http://baton.example:4766' }, known(true))).toMatch(/other origins/);
    expect(refuseStranger({ host: 'baton.example:4766', origin: 'https://baton.example:4766' }, known(true))).toBeUndefined();
  });
});
