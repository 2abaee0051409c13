import { methodNames, methods } from '@baton/protocol';
import { fuzzSuite } from './fuzz-suite.ts';

fuzzSuite(
  'methods that look',
  methodNames.filter((name) => methods[name].access === 'read'),
);
