import type { JsonObject } from '@baton/protocol';
import { expect, test } from 'vitest';
import type { PlaceKind } from './check-places.ts';
import type { ModuleAnswer } from './describe-modules.ts';
import { checkPlan } from './plan-check.ts';
import { formatProblem, readYamlDocument } from '../yaml/yaml-document.ts';

const modules: Readonly<Record<string, ModuleAnswer>> = {
  '/plans/agents/tester.ts': { capabilities: ['typescript'], types: ['test', 'measure'] },
  '/plans/agents/broken.ts': { error: 'the module does not load: Unexpected token' },
};

const places: Readonly<Record<string, PlaceKind>> = {
  '/bin/cat': 'program',
  '/bin/node': 'program',
  '/bin/python3': 'program',
  '/bin/sub': 'folder',
  '/plans': 'folder',
  '/plans/pack.py': 'file',
  '/plans/pack.sh': 'program',
};

const configs = new Map<string, JsonObject>([['command', { properties: { command: { type: 'array' } }, additionalProperties: false }]]);

async function check(text: string, validators: readonly string[] = ['command', 'criteria']): Promise<string[]> {
  const document = readYamlDocument(text, '/plans/plan.yaml');
  const { problems } = await checkPlan(document, {
    describeModules: async (files) => new Map(files.map((file) => [file, modules[file] ?? { error: 'there is no such file' }])),
    offered: { validators, configs },
    places: { kindOf: (path) => places[path], searchPath: '/usr/bin:/bin', hasProject: false },
    others: [],
  });
  return problems.map((problem) => formatProblem('plan.yaml', problem));
}

const head = `name: sample
agents:
  tester: { module: ./agents/tester.ts }
ticket: { title: A change }
`;
/** A plan whose other phases are no obstacle; its TESTING begins in line 9. */
const withTesting = (testing: string) => `${head}phases:
  REQUIREMENTS: { gate: {} }
  IMPLEMENTATION: { gate: {} }
  DESIGN: {}
  TESTING:
${testing}`;

test('a plan without mistakes has none', async () => {
  const problems = await check(
    withTesting(`    tasks:
      - { ref: run, type: test, input: { dir: '{{ workspace }}/src', why: '{{ visit.reason }}' } }
      - { ref: count, type: measure, input: { results: '{{ tasks.run.output.files }}' }, locks: [{ key: 'file:{{ workspace }}/a' }] }
    onRefused: { regressTo: IMPLEMENTATION }
    gate: { validators: [{ use: criteria }] }
`),
  );

  expect(problems).toEqual([]);
});

test('criteria need a plugin that judges them, be the gate of the plan or of the workflow that it builds on', async () => {
  const tasks = '    tasks: [{ type: test }]\n';

  const own = await check(withTesting(`${tasks}    gate: { criteria: [{ artifact: a, path: n, op: exists }] }`), ['command']);
  const inherited = await check(withTesting(tasks), ['command']);

  expect(own).toEqual([
    'plan.yaml:11:23 phases.TESTING.gate.criteria: no enabled plugin offers the validator criteria; they offer command',
  ]);
  expect(inherited).toEqual([
    'plan.yaml:9:3 phases.TESTING: the gate of TESTING in software-delivery asks the validator criteria, which no enabled plugin offers; give the phase a gate of its own',
  ]);
});

test('a process is offered tasks by the capabilities that the plan gives it, whatever their type', async () => {
  const agents = `  tester: { module: ./agents/tester.ts }
  looker: { process: [python3, ./look.py], capabilities: [look], cwd: ., env: { LANG: C } }
  idler: { process: [python3, ./idle.py] }
`;

  const problems = await check(
    withTesting('    tasks: [{ type: look }, { type: stare, capabilities: [look] }]\n    gate: {}').replace(
      '  tester: { module: ./agents/tester.ts }\n',
      agents,
    ),
  );

  expect(problems).toEqual(['plan.yaml:5:10 agents.idler.capabilities: is missing; expected array']);
});

test.each<[claim: string, testing: string, problems: string[]]>([
  [
    'a field that does not exist',
    '    tasks: [{ type: test, inputs: {} }]',
    [
      'plan.yaml:10:27 phases.TESTING.tasks[0].inputs: there is no such field; it has ref, type, title, input, dependsOn, capabilities, locks, priority, maxAttempts, timeoutMs, onDependencyFailure, delayMs, notBy, when; did you mean input?',
    ],
  ],
  [
    'a value of the wrong type',
    '    tasks: [{ type: test, maxAttempts: often }]',
    ['plan.yaml:10:40 phases.TESTING.tasks[0].maxAttempts: expected number, received string'],
  ],
  ['a missing field', '    tasks: [{ ref: run }]', ['plan.yaml:10:13 phases.TESTING.tasks[0].type: is missing; expected string']],
  [
    'two tasks with one reference',
    '    tasks: [{ ref: run, type: test }, { ref: run, type: measure }]',
    ['plan.yaml:10:46 phases.TESTING.tasks[1].ref: another task of TESTING has the reference run: tasks[0]'],
  ],
  [
    'a dependency that does not exist',
    '    tasks: [{ ref: run, type: test }, { type: measure, dependsOn: [rum] }]',
    ['plan.yaml:10:68 phases.TESTING.tasks[1].dependsOn[0]: TESTING has no task rum; it has run; did you mean run?'],
  ],
  [
    'an excluded author that does not exist',
    '    tasks: [{ ref: run, type: test }, { type: measure, notBy: [rum] }]',
    ['plan.yaml:10:64 phases.TESTING.tasks[1].notBy[0]: TESTING has no task rum; it has run; did you mean run?'],
  ],
  [
    'a dependency that is not made at a later visit',
    '    tasks: [{ ref: run, type: test, when: first }, { type: measure, dependsOn: [run] }]',
    ['plan.yaml:10:81 phases.TESTING.tasks[1].dependsOn[0]: run is not made when the phase is entered again, but this task is'],
  ],
  [
    'a cycle, through a reference too',
    `    tasks:
      - { ref: a, type: test, dependsOn: [c] }
      - { ref: b, type: test, dependsOn: [a] }
      - { ref: c, type: test, input: { x: '{{ tasks.b.output }}' } }`,
    ['plan.yaml:11:9 phases.TESTING.tasks[0]: the dependencies form a cycle: a → c → b → a'],
  ],
  [
    'a reference to a task that does not exist',
    "    tasks: [{ ref: run, type: test, input: { x: ['see {{ tasks.runs.output.y }}'] } }]",
    [
      'plan.yaml:10:50 phases.TESTING.tasks[0].input.x[0]: {{ tasks.runs.output.y }} names a task that TESTING does not have; it has run; did you mean run?',
    ],
  ],
  [
    'a reference to a phase that does not exist',
    "    tasks: [{ type: test, input: { x: '{{ phases.DESIN.tasks.a.output }}' } }]",
    [
      'plan.yaml:10:39 phases.TESTING.tasks[0].input.x: {{ phases.DESIN.tasks.a.output }} names a phase that is not there; it has BACKLOG, REQUIREMENTS, DESIGN, IMPLEMENTATION, TESTING, DEPLOYMENT, DONE, BLOCKED; did you mean DESIGN?',
    ],
  ],
  [
    'a reference to a task of another phase that does not exist',
    "    tasks: [{ type: test, input: { x: '{{ phases.DESIGN.tasks.a.output }}' } }]",
    [
      'plan.yaml:10:39 phases.TESTING.tasks[0].input.x: {{ phases.DESIGN.tasks.a.output }} names a task that DESIGN does not have; there is none',
    ],
  ],
  [
    'something in braces that is no reference',
    "    tasks: [{ type: test, input: { x: '{{ ticket.tilte }}' } }]",
    [
      'plan.yaml:10:39 phases.TESTING.tasks[0].input.x: {{ ticket.tilte }} is not a reference; a reference is one of tasks.REF.output…, tasks.REF.summary, phases.PHASE.tasks.REF.output…, ticket.id, ticket.title, ticket.description, ticket.priority, ticket.metadata, visit.number, visit.phase, visit.reason, gate.outcome, gate.reasons, gate.verdicts, context, workspace',
    ],
  ],
  [
    'a capability that nobody offers',
    '    tasks: [{ type: tests }, { type: test, capabilities: [typescript, python] }]',
    [
      'plan.yaml:10:21 phases.TESTING.tasks[0].type: no agent offers tests; on offer: tester (measure, test, typescript); did you mean test?',
      'plan.yaml:10:58 phases.TESTING.tasks[1].capabilities: no agent offers python; on offer: tester (measure, test, typescript)',
    ],
  ],
  [
    'a task that would be given to an agent that does not define it',
    '    tasks: [{ type: lint, capabilities: [typescript] }]',
    [
      'plan.yaml:10:41 phases.TESTING.tasks[0].capabilities: tester offers typescript and would be given this task, but does not define the type lint; it defines test, measure',
    ],
  ],
  [
    'a lock key that is none',
    "    tasks: [{ type: test, locks: [{ key: README }, { key: 'file:src/*.ts' }] }]",
    ['plan.yaml:10:42 phases.TESTING.tasks[0].locks[0].key: a lock key is `space:resource`, such as file:src/a.ts or port:5432.'],
  ],
  [
    'a lock on a pattern that nobody reads',
    "    tasks: [{ type: test, locks: [{ key: 'file:src/a**' }] }]",
    ['plan.yaml:10:42 phases.TESTING.tasks[0].locks[0].key: file:src/a**: ** stands alone between slashes, as in src/**/a.ts.'],
  ],
  [
    'a lock that is a text',
    "    tasks: [{ type: test, locks: [''] }]",
    ['plan.yaml:10:35 phases.TESTING.tasks[0].locks[0]: a lock is written as `{ key: file:src/a.ts }`'],
  ],
  [
    'what is wrong beside a field that does not fit',
    `    tasks: [{ type: tests, maxAttempts: often, dependsOn: [rum] }, { type: test, capabilites: [unicorn] }]
    gate: { validators: [{ use: nope }], tasksMinn: 1 }
    onRefused: { regressTo: MARS, roundsMax: many }`,
    [
      'plan.yaml:10:21 phases.TESTING.tasks[0].type: no agent offers tests; on offer: tester (measure, test, typescript); did you mean test?',
      'plan.yaml:10:41 phases.TESTING.tasks[0].maxAttempts: expected number, received string',
      'plan.yaml:10:60 phases.TESTING.tasks[0].dependsOn[0]: TESTING has no task rum; there is none',
      'plan.yaml:10:82 phases.TESTING.tasks[1].capabilites: there is no such field; it has ref, type, title, input, dependsOn, capabilities, locks, priority, maxAttempts, timeoutMs, onDependencyFailure, delayMs, notBy, when; did you mean capabilities?',
      'plan.yaml:11:33 phases.TESTING.gate.validators[0].use: no enabled plugin offers the validator nope; they offer command, criteria',
      'plan.yaml:11:42 phases.TESTING.gate.tasksMinn: there is no such field; it has artifacts, tasksMin, criteria, validators, approvals, onApprovalRefused; did you mean tasksMin?',
      'plan.yaml:12:29 phases.TESTING.onRefused.regressTo: no regression edge leads from TESTING to MARS; edges lead to IMPLEMENTATION',
      'plan.yaml:12:46 phases.TESTING.onRefused.roundsMax: expected number, received string',
    ],
  ],
  [
    'a task under a name that does not exist, and nothing that follows from it',
    '    task: [{ ref: run, type: test }]',
    ['plan.yaml:10:5 phases.TESTING.task: there is no such field; it has tasks, gate, advance, onRefused; did you mean tasks?'],
  ],
  [
    'a way back without an edge',
    '    tasks: [{ type: test }]\n    onRefused: { regressTo: DESIGN }',
    ['plan.yaml:11:29 phases.TESTING.onRefused.regressTo: no regression edge leads from TESTING to DESIGN; edges lead to IMPLEMENTATION'],
  ],
  [
    'more work on refusal that nobody has defined',
    '    tasks: [{ type: test }]\n    onRefused: { roundsMax: 2 }',
    ['plan.yaml:11:5 phases.TESTING.onRefused: name a phase in regressTo, or give tasks with `when: refused`'],
  ],
  [
    'work on refusal in a phase that blocks on refusal',
    '    tasks: [{ type: test }, { type: measure, when: refused }]',
    [
      'plan.yaml:10:52 phases.TESTING.tasks[1].when: this task would never be made, since the phase has no onRefused, so that a refusal blocks the ticket: give it `onRefused: {}`',
    ],
  ],
  [
    'what follows a refusal where the plan says that nobody judges by himself',
    '    tasks: [{ type: test }]\n    onRefused: { regressTo: IMPLEMENTATION }\n    advance: manual',
    ['plan.yaml:11:5 phases.TESTING.onRefused: it is looked at only with `advance: automatic`: add that, or leave it out'],
  ],
  [
    'no more than the mistake where it is not understood who judges',
    '    tasks: [{ type: test }]\n    onRefused: { regressTo: IMPLEMENTATION }\n    advance: manuall\n    gate: { tasksMin: -1, onApprovalRefused: keep_others }',
    [
      'plan.yaml:12:14 phases.TESTING.advance: expected one of manual, automatic, and not manuall; did you mean manual?',
      'plan.yaml:13:23 phases.TESTING.gate.tasksMin: expected at least 0, and not -1',
    ],
  ],
  [
    'what becomes of approvals that nobody asks for',
    '    tasks: [{ type: test }]\n    gate: { onApprovalRefused: cancel_others }',
    ['plan.yaml:11:13 phases.TESTING.gate.onApprovalRefused: the gate asks for no approval: name some in `approvals`, or leave it out'],
  ],
  [
    'a validator that no plugin offers',
    '    tasks: [{ type: test }]\n    gate: { validators: [{ use: criterion }] }',
    [
      'plan.yaml:11:33 phases.TESTING.gate.validators[0].use: no enabled plugin offers the validator criterion; they offer command, criteria; did you mean criteria?',
    ],
  ],
  [
    'a configuration that its validator would not take',
    "    tasks: [{ type: test }]\n    gate: { validators: [{ use: command, config: { comand: ['{{ workspace }}/t'] } }] }",
    ['plan.yaml:11:60 phases.TESTING.gate.validators[0].config.comand: the validator command takes no comand; it takes command'],
  ],
  [
    'a pattern that the validator cannot read, beside another mistake',
    "    tasks: [{ type: test }]\n    gate: { tasksMin: -1, criteria: [{ artifact: a, path: n, op: matches, value: '(a)\\1' }] }",
    [
      'plan.yaml:11:23 phases.TESTING.gate.tasksMin: expected at least 0, and not -1',
      'plan.yaml:11:82 phases.TESTING.gate.criteria[0].value: the pattern (a)\\1 cannot be used: invalid escape sequence: `\\1`. Patterns are RE2: write it without look-ahead, look-behind and back references, and repeat at most 1000 times',
    ],
  ],
  [
    'a gate that nothing can pass',
    '    {}',
    [
      'plan.yaml:9:3 phases.TESTING: TESTING has no tasks, but its gate asks for test_results, test_evidence: the ticket would be blocked; give it tasks, or `gate: {}`',
    ],
  ],
])('finds %s', async (_, testing, expected) => {
  expect(await check(withTesting(testing))).toEqual(expected);
});

test.each<[claim: string, text: string, problems: string[]]>([
  [
    'a file that is not YAML',
    'name: [',
    ['plan.yaml:1:8 Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  [
    'a second document',
    `${head}---\nname: other\n`,
    ['plan.yaml:5:1 a second document begins here, and the file is one: take out the line `---`'],
  ],
  ['a list', '- name: sample\n', ['plan.yaml:1:1 a plan is a mapping with name, ticket, agents and phases; this is a list']],
  ['nothing', '# a plan\n', ['plan.yaml:1:1 a plan is a mapping with name, ticket, agents and phases; this is empty']],
  [
    'an alias without its anchor',
    'name: *sample\n',
    ['plan.yaml:1:7 there is no anchor &sample before this; text that begins with * needs quotes'],
  ],
  [
    'aliases that stand for more than fits',
    [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]',
      'c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]',
      'd: [*c, *c, *c, *c]',
    ].join('\n'),
    ['plan.yaml:1:1 Excessive alias count indicates a resource exhaustion attack'],
  ],
  [
    'programs and folders that are not there',
    `name: sample
ticket: { title: x }
workspace: { copy: ./project }
agents:
  a: { command: [no-such], capabilities: [a] }
  b: { command: [./nope.sh], capabilities: [b] }
  c: { command: [pack.sh], capabilities: [c] }
  d: { process: [./pack.py], capabilities: [d] }
  e: { command: [sub], capabilities: [e], cwd: ./sub }
  f: { command: ['{{ workspace }}/tool'], capabilities: [f], cwd: '{{ workspace }}/src' }
  g: { command: [./pack.sh], capabilities: [g], cwd: . }
phases: { REQUIREMENTS: { gate: {} }, IMPLEMENTATION: { gate: {} }, TESTING: { gate: {} } }
`,
    [
      'plan.yaml:3:20 workspace.copy: there is no folder /plans/project',
      'plan.yaml:5:18 agents.a.command[0]: there is no program no-such on the PATH',
      'plan.yaml:6:18 agents.b.command[0]: there is no file /plans/nope.sh',
      'plan.yaml:7:18 agents.c.command[0]: there is no program pack.sh on the PATH; the file beside the plan is ./pack.sh',
      'plan.yaml:8:18 agents.d.process[0]: /plans/pack.py may not be executed; allow it with chmod +x, or name the program that runs it before it',
      'plan.yaml:9:18 agents.e.command[0]: there is no program sub on the PATH',
      'plan.yaml:9:48 agents.e.cwd: there is no folder /plans/sub',
    ],
  ],
  [
    'an agent of two kinds',
    `${head.replace('tester: {', 'both: { command: [cat], capabilities: [c],')}phases: { REQUIREMENTS: { gate: {} }, IMPLEMENTATION: { gate: {} }, TESTING: { gate: {} } }
`,
    ['plan.yaml:3:3 agents.both: says module and command, and an agent is only one of module, process and command'],
  ],
  [
    'a file without the necessary',
    'phases: { REQUIREMENTS: { gate: {} }, IMPLEMENTATION: { gate: {} }, TESTING: { gate: {} } }',
    ['plan.yaml:1:1 name: is missing; expected string', 'plan.yaml:1:1 ticket: is missing; expected object'],
  ],
  [
    'a phase left out whose gate asks for evidence',
    'name: x\nticket: { title: x }\nphases: { REQUIREMENTS: { gate: {} }, IMPLEMENTATION: { gate: {} } }',
    [
      'plan.yaml:3:1 phases: TESTING has no tasks, but its gate asks for test_results, test_evidence: the ticket would be blocked; give it tasks, or `gate: {}`',
    ],
  ],
  [
    'a phase that the workflow does not have, and a key that is there twice',
    `${head}name: twice\n`,
    ['plan.yaml:5:1 Map keys must be unique'],
  ],
  [
    'agents that do not load, in place of all that follows from it',
    `${head.replace('tester: { module: ./agents/tester.ts }', 'a: { module: agents/broken.ts }\n  b: { module: agents/none.ts }')}phases:
  REQUIREMENTS: { tasks: [{ type: measure }] }
  TESTNG: { gate: {} }
`,
    [
      'plan.yaml:3:16 agents.a.module: the module does not load: Unexpected token',
      'plan.yaml:4:16 agents.b.module: there is no such file',
      'plan.yaml:8:3 phases.TESTNG: the workflow software-delivery has no such phase; it has BACKLOG, REQUIREMENTS, DESIGN, IMPLEMENTATION, TESTING, DEPLOYMENT, DONE, BLOCKED; did you mean TESTING?',
    ],
  ],
  [
    'an agent that is neither a module nor a command, and one that lacks its capabilities',
    'name: sample\nticket: { title: x }\nagents:\n  a: { modul: x.ts }\n  b: { command: [node] }\nworkflow: waterfall\n',
    [
      'plan.yaml:4:6 agents.a.module: is missing; expected string',
      'plan.yaml:4:8 agents.a.modul: there is no such field; it has module, capabilities, capacity, process, cwd, env, command, exitCodes, contextTokens; did you mean module?',
      'plan.yaml:5:6 agents.b.capabilities: is missing; expected array',
      "plan.yaml:6:11 workflow: expected software-delivery, or a workflow of the plan's own",
    ],
  ],
  [
    'a workflow of its own that contradicts itself, and its phases',
    `name: own
ticket: { title: x }
agents: { cat: { command: [cat], capabilities: [copy] } }
workflow:
  name: own
  phases: [{ name: A, tasks: [{ type: copi }] }, { name: B }, { name: C }]
  edges: [{ from: A, to: B, kind: forward }, { from: A, to: D, kind: block }]
`,
    [
      'plan.yaml:6:39 workflow.phases[0].tasks[0].type: no agent offers copi; on offer: cat (copy); did you mean copy?',
      'plan.yaml:6:63 workflow.phases[2]: No way leads from A to C.',
      'plan.yaml:7:61 workflow.edges[1].to: There is no phase D; there are A, B, C.',
    ],
  ],
])('finds %s', async (_, text, expected) => {
  expect(await check(text)).toEqual(expected);
});

test('phases of its own go on by themselves, which must come to an end unless the plan says who leads on', async () => {
  const round = (phases: string) => `name: sample
ticket: { title: x }
workflow:
  name: round
  phases: [{ name: A }, { name: B }, { name: DONE }]
  edges:
    - { from: A, to: B, kind: forward }
    - { from: B, to: A, kind: forward }
    - { from: B, to: DONE, kind: forward }
${phases}`;

  expect(await check(round(''))).toEqual([
    'plan.yaml:8:7 workflow.edges[1]: Tickets would go round by themselves without end: A → B → A. Make an edge that leads back a regression, or give one of the phases `advance: manual`.',
  ]);
  expect(await check(round('phases: { B: { advance: manual } }'))).toEqual([]);
  expect(await check(round('phases: { B: { advance: manually } }'))).toHaveLength(1);
});
