import { criterion, definePlugin, defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { judgeCriterion } from './judge-criterion.ts';

const criteria = defineValidator({
  name: 'criteria',
  config: z.strictObject({ criteria: z.array(criterion).min(1).max(1_000) }),
  validate({ config, artifacts, fail, info }) {
    const report = { fail, info };
    for (const one of config.criteria) {
      for (const { severity, code, message } of judgeCriterion(one, artifacts)) report[severity](code, message, { path: one.path });
    }
  },
});

export default definePlugin({ name: 'criteria', apiVersion: 1, validators: [criteria] });
