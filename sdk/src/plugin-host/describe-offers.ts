import { type Plugin, pluginManifest } from '../plugin/index.ts';
import { toConfigSchema } from './config-schema.ts';
import type { ThreadAnswer } from './outcome.ts';

/** What the code of a plugin says of itself, in the form of its manifest. */
export function describeOffers({ apiVersion, validators, summarizers, permissions }: Plugin): ThreadAnswer {
  const names = (offers: readonly { readonly name: string }[]) => offers.map(({ name }) => name);
  const configs = Object.fromEntries(
    validators.flatMap(({ name, config }) => {
      const schema = toConfigSchema(config);
      return schema === undefined ? [] : [[name, schema]];
    }),
  );
  const offers = pluginManifest.parse({ apiVersion, validators: names(validators), summarizers: names(summarizers), permissions, configs });
  return { kind: 'described', offers };
}
