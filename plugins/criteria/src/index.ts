import { criterion, definePlugin, defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { judgeCriterion } from './judge-criterion.ts';

const criteria = defineValidator({
  name: 'criteria',
  config: z.strictObject({ criteria: z.array(criterion).min(1).max(1_000) }),
  validate({ config, artifacts, fail, info }) {
    const report = { fail, info };
    const missing = new Set<string>();
    for (const one of config.criteria) {
      // What is not there is one thing to be done, whatever is wanted of it.
      if (missing.has(one.artifact)) continue;
      const said = judgeCriterion(one, artifacts);
      if (said.some(({ code }) => code === 'artifact_missing')) missing.add(one.artifact);
      for (const { severity, code, message } of said) report[severity](code, message, { path: one.path });
    }
  },
});

export default definePlugin({ name: 'criteria', apiVersion: 1, validators: [criteria] });
