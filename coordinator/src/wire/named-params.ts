import { CoordinatorError, type MethodDefinition } from '@baton/protocol';

/**
 * Parameters by name. JSON-RPC 2.0 lets a caller give them by position as well: then in the order in which the method lists
 * them, which is the one of the OpenRPC document.
 * @throws CoordinatorError `invalid_params` where there are more than the method has
 */
export function toNamedParams(definition: MethodDefinition, params: unknown): unknown {
  if (!Array.isArray(params)) return params ?? {};
  const names = Object.keys(definition.params.shape);
  if (params.length > names.length) {
    const fields = [{ path: `[${names.length}]`, message: `The method takes at most ${names.length} parameters.` }];
    throw new CoordinatorError('invalid_params', { fields });
  }
  return Object.fromEntries(params.map((value: unknown, index) => [names[index], value]));
}
