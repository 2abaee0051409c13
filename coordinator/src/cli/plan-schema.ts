import {
  capabilities,
  gateDefinition,
  methods,
  name,
  phaseDefinition,
  softwareDelivery,
  taskTemplate,
  workflowDefinition,
} from '@baton/protocol';
import { z } from 'zod';

const capacity = z.int().min(1).max(1_000);
const exitCodes = z.array(z.int().min(0).max(255)).max(256);
const { title, description, priority, metadata } = methods['ticket/create'].params.shape;

/** An agent written with the SDK: a module whose default export is from `defineAgent`. */
const moduleAgent = z
  .strictObject({
    module: z.string().min(1).describe('Path of the module, relative to the plan.'),
    capabilities: capabilities.optional().describe('What it offers beside the types of its tasks, instead of what the module says.'),
    capacity: capacity.optional().describe('How many tasks it runs at a time, instead of what the module says.'),
  })
  .meta({ id: 'ModuleAgent' });

/** Any program: the task as JSON on its standard input, the result as JSON on its standard output. */
const commandAgent = z
  .strictObject({
    command: z
      .array(z.string())
      .min(1)
      .describe(
        'The program and its arguments; no shell reads them. What begins with ./ or ../ is relative to the plan, and `{{ workspace }}` is the workspace.',
      ),
    capabilities: capabilities.refine((list) => list.length > 0, 'A command agent needs at least one capability.'),
    capacity: capacity.optional().describe('How many tasks it runs at a time; 1 unless said otherwise.'),
    cwd: z.string().min(1).optional().describe('Where the program runs, relative to the plan; the workspace unless said otherwise.'),
    env: z.record(z.string(), z.string()).optional().describe('Added to the environment of the program.'),
    exitCodes: z
      .strictObject({ success: exitCodes.optional(), retryable: exitCodes.optional(), permanent: exitCodes.optional() })
      .optional()
      .describe('What exit codes mean. Unless listed, 0 is success, 64 to 78 but 75 are permanent, and all others are tried again.'),
    contextTokens: z.int().min(50).max(200_000).optional().describe('Gives each task the context of earlier phases within this budget.'),
  })
  .meta({ id: 'CommandAgent' });

/** A program in any language that speaks the protocol itself, for as long as the run takes. */
const processAgent = z
  .strictObject({
    process: z
      .array(z.string())
      .min(1)
      .describe(
        'The program and its arguments, as for `command`. It is started once and registers itself, with what BATON_URL, BATON_TOKEN_FILE, BATON_AGENT_NAME, BATON_AGENT_CAPABILITIES, BATON_AGENT_CAPACITY and BATON_WORKSPACE tell it.',
      ),
    capabilities: capabilities
      .refine((list) => list.length > 0, 'A process agent needs at least one capability.')
      .describe('What it will offer, the types of its tasks among it.'),
    capacity: capacity.optional().describe('How many tasks it is to run at a time.'),
    cwd: z.string().min(1).optional().describe('Where the program runs, relative to the plan; the workspace unless said otherwise.'),
    env: z.record(z.string(), z.string()).optional().describe('Added to the environment of the program.'),
  })
  .meta({ id: 'ProcessAgent' });

/** By the field that says which of them an agent is, in the order in which the union tries them. */
export const agentKinds = { module: moduleAgent, process: processAgent, command: commandAgent } as const;

export const planAgent = z.union([moduleAgent, processAgent, commandAgent]);
export type PlanAgent = z.infer<typeof planAgent>;
export type ProcessAgent = z.infer<typeof processAgent>;
export type CommandAgent = z.infer<typeof commandAgent>;

/** As a gate of the workflow, but a phase without tasks demands none unless the plan says how many. */
const planGate = gateDefinition.extend({ tasksMin: z.int().min(0).optional() }).meta({ id: 'PlanGate' });
export type PlanGate = z.infer<typeof planGate>;

const { onRefused } = phaseDefinition.shape;
const advance = z.enum(['manual', 'automatic']);

export const planPhase = z
  .strictObject({
    tasks: z.array(taskTemplate).max(10_000).default([]).describe('The tasks that are made when the ticket enters the phase.'),
    gate: planGate.optional().describe('The conditions under which the phase may be left; in place of those of the workflow.'),
    advance: advance
      .optional()
      .describe('`automatic` judges the gate and goes on once all tasks have ended. That is the default in a plan.'),
    onRefused: onRefused.describe('What to do when the gate refuses. Without it the ticket is blocked.'),
  })
  .meta({ id: 'PlanPhase' });
export type PlanPhase = z.infer<typeof planPhase>;

/** A workflow of the plan's own, whose phases go on by themselves unless they say otherwise. */
const planWorkflow = workflowDefinition
  .extend({
    phases: z
      .array(phaseDefinition.extend({ advance: advance.optional() }))
      .min(2)
      .max(64),
  })
  .meta({ id: 'PlanWorkflow' });

/** What `baton run` carries out: a ticket, the team that works on it, and what each phase asks of them. */
export const planSchema = z
  .strictObject({
    name: name.describe('The name of the plan, and of the workflow that is made of it.'),
    description: z.string().max(2_000).optional(),
    workflow: z
      .union([z.literal(softwareDelivery.name, `expected ${softwareDelivery.name}, or a workflow of the plan's own`), planWorkflow])
      .default(softwareDelivery.name),
    workspace: z
      .strictObject({
        copy: z.string().min(1).describe('A folder, relative to the plan. The agents work on a copy of it.'),
        include: z
          .array(z.string())
          .optional()
          .describe('Globs of what is copied, relative to the folder. Everything unless said otherwise.'),
        exclude: z.array(z.string()).optional().describe('Globs of what is left out, beside node_modules, dist, .git and .baton.'),
      })
      .optional()
      .describe('What the agents work on. Its absolute path is `{{ workspace }}` in the plan and BATON_WORKSPACE for the agents.'),
    agents: z.record(name, planAgent).default({}),
    ticket: z.strictObject({ title, description, priority, metadata }),
    phases: z.record(z.string(), planPhase).default({}),
  })
  .meta({
    title: 'Baton plan',
    description: 'A ticket, the agents that work on it, and the tasks and gate of each phase. Run it with `baton run`.',
  });
export type Plan = z.output<typeof planSchema>;

/** The JSON schema of a plan file, for editors: `# yaml-language-server: $schema=<where it is>`. */
export const toPlanJsonSchema = () => z.toJSONSchema(planSchema, { target: 'draft-07', io: 'input', unrepresentable: 'any' });
