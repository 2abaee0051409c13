import type { JsonObject } from '@baton/protocol';
import { z } from 'zod';
import { criteriaValidator } from '../gate/gate-rules.ts';
import type { Configured, Written } from './misfits.ts';

// A gate in a file that is being written may have mistakes of other kinds. They are told by others, and hide nothing here.
const criteria = z.array(z.object({ op: z.string(), value: z.string() }).optional().catch(undefined)).catch([]);
const validator = z.object({ use: z.string(), config: z.unknown().optional() });
const configured = z.object({ criteria }).catch({ criteria: [] });
const draft = z
  .object({ criteria, validators: z.array(validator.optional().catch(undefined)).catch([]) })
  .catch({ criteria: [], validators: [] });

/** A validator that a gate asks, with the field of the gate that says so. */
export interface Use {
  readonly path: string;
  readonly use: string;
}

/** The validators that a gate asks, as far as it can be understood: those that it names, and the one for its criteria. */
export function listUses(gate: unknown): Use[] {
  const { criteria, validators } = draft.parse(gate);
  const named = validators.flatMap((each, index) => (each === undefined ? [] : [{ path: `validators[${index}].use`, use: each.use }]));
  return criteria.length === 0 ? named : [{ path: 'criteria', use: criteriaValidator }, ...named];
}

/** A pattern in a gate, with its field. */
interface Pattern {
  readonly path: string;
  readonly pattern: string;
}

/** The patterns of a gate's criteria, and of those in the configuration of the validator for criteria. */
export function listPatterns(gate: unknown): Pattern[] {
  const { criteria, validators } = draft.parse(gate);
  const lists = validators.map((each, index) => ({
    path: `validators[${index}].config.criteria`,
    criteria: each?.use === criteriaValidator ? configured.parse(each.config).criteria : [],
  }));
  return [{ path: 'criteria', criteria }, ...lists].flatMap((list) =>
    list.criteria.flatMap((criterion, index) =>
      criterion?.op === 'matches' ? [{ path: `${list.path}[${index}].value`, pattern: criterion.value }] : [],
    ),
  );
}

/** What the validators of a gate are given, where it is an object. */
const listConfigs = (gate: unknown): Configured[] =>
  draft.parse(gate).validators.flatMap((each, index) => {
    const { config = {} } = each ?? {};
    const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
    return each === undefined || !isObject ? [] : [{ path: `validators[${index}].config`, use: each.use, config: config as JsonObject }];
  });

const artifactTypes = z
  .record(
    z.string(),
    z
      .object({ schema: z.record(z.string(), z.unknown()) })
      .optional()
      .catch(undefined),
  )
  .catch({});

/** What has to be compiled of these gates and types of artifacts, as far as they can be understood. */
export function listWritten(gates: readonly { readonly path: string; readonly gate: unknown }[], types: unknown): Written {
  const inGates = <T extends { readonly path: string }>(list: (gate: unknown) => T[]): T[] =>
    gates.flatMap(({ path, gate }) => list(gate).map((each) => ({ ...each, path: `${path}.${each.path}` })));
  const schemas = Object.entries(artifactTypes.parse(types)).flatMap(([type, known]) =>
    known === undefined ? [] : [{ path: `artifactTypes.${type}.schema`, schema: known.schema as JsonObject }],
  );
  return { patterns: inGates(listPatterns), configs: inGates(listConfigs), schemas };
}
