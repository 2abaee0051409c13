import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInbox } from './inbox.ts';

/** One run of the program, which waits to be told how it ends. */
export interface ProgramRun {
  exitWith(code: number): void;
  /** Ends with an answer that nobody can read: no verdict. */
  crash(): void;
  /** Settles when the program is gone, whoever has ended it. */
  readonly ended: Promise<unknown>;
}

export interface AskedProgram extends AsyncDisposable {
  /** For the validator `command`. */
  readonly validator: { readonly use: 'command'; readonly config: { readonly command: string[] }; readonly timeoutMs: number };
  /** How often it has been started. */
  readonly runs: number;
  /** The run of this number, 1 for the first, once it has begun. */
  run(number: number): Promise<ProgramRun>;
}

/** A program for a gate, each of whose runs asks the test what to say, and takes as long as the test does. */
export async function createAskedProgram(): Promise<AskedProgram> {
  const inbox = createInbox<Socket>(() => 'a run');
  const server = createServer((socket) => {
    // A program that is killed may reset its connection.
    socket.on('error', () => socket.destroy());
    inbox.put(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const code = `require('node:net').connect(${port}, '127.0.0.1').on('data', function (said) {
    if (String(said) === 'crash') console.log('{"findings":[{"severity":"unheard of"}]}');
    process.exitCode = Number(said) || 0;
    this.destroy();
  })`;

  return {
    // As long as a test may take.
    validator: { use: 'command', config: { command: [process.execPath, '-e', code] }, timeoutMs: 120_000 },
    get runs() {
      return inbox.items.length;
    },
    async run(number) {
      const socket = await inbox.waitFor((each) => inbox.items.indexOf(each) === number - 1, `run ${number} of the program`);
      return {
        exitWith: (exitCode) => void socket.write(String(exitCode)),
        crash: () => void socket.write('crash'),
        ended: socket.closed ? Promise.resolve() : once(socket, 'close'),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of inbox.items) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
