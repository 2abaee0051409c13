import { methodNames, methods } from '@baton/protocol';
import { fuzzSuite } from './fuzz-suite.ts';

fuzzSuite(
  'methods that change something',
  methodNames.filter((name) => methods[name].access !== 'read'),
);
