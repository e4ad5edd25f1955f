import { BerthError, toBerthError } from '../../engine/api/errors.ts';
import type { Client } from '../../engine/client/index.ts';
import { checkAttachable, runAttached, StartFailure, sigProxyFlag } from '../attached.ts';
import { type Context, defineCommand, type Flag, type Typed } from '../command.ts';
import { createFlags, createFromFlags, streamsOf } from '../create-flags.ts';
import { detachKeysFlag } from '../detach-keys.ts';
import { complain } from '../each.ts';

const flags = {
  ...createFlags,
  detach: { type: 'boolean', summary: 'Run in the background and print the id', short: 'd' } as Flag<boolean>,
  sigProxy: sigProxyFlag,
  detachKeys: detachKeysFlag,
};

/** What `run` exits with when the engine, and not the container, failed. */
const ENGINE_FAILED = 125;

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [COMMAND] [ARG...]',
  description:
    "It ends with the container's exit code, or with 125 when the engine failed, 126 when the program can't be executed, 127 when it isn't there.",
  flags,
  takes: [1, Number.POSITIVE_INFINITY],
  argsEndFlags: true,
  examples: [
    {
      line: 'berth run -it --rm ubuntu',
      does: 'A shell in a new container that is removed when you leave it',
    },
    { line: 'berth run -d --name web --memory 256m nginx', does: 'A server in the background' },
    { line: 'cat data.csv | berth run -i --rm busybox wc -l', does: 'A program at the end of a pipe' },
  ],
  async run(context, typed) {
    try {
      return await runContainer(context, typed);
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.code === 'cancelled') throw error;
      complain(context, error);
      return error instanceof StartFailure ? error.exitCode : ENGINE_FAILED;
    }
  },
});

async function runContainer(context: Context, { flags: given, args }: Typed<typeof flags>): Promise<number> {
  const { detach = false, interactive = false, tty = false, rm = false } = given;
  const { sigProxy, detachKeys } = given;
  if (detach && given.attach !== undefined)
    throw new BerthError('usage', 'conflicting options: cannot specify both --attach and --detach');
  const streams = streamsOf(given);
  const stdin = interactive && streams.stdin;
  if (!detach) checkAttachable(context, { tty, stdin, detachKeys });
  const client = await context.connect();
  const id = await createFromFlags(context, client, {
    flags: given,
    args,
    body: {
      AttachStdin: stdin && !detach,
      AttachStdout: streams.stdout && !detach,
      AttachStderr: streams.stderr && !detach,
      StdinOnce: interactive && !detach,
    },
  });
  const start = () => client.act('containerStart', { id });
  if (detach) {
    await start().catch(async (error) => {
      await discard(client, id);
      throw new StartFailure(toBerthError(error));
    });
    context.stdout.line(id);
    return 0;
  }
  if (!streams.stdout && !streams.stderr) context.stdout.line(id);
  const run = runAttached(context, client, {
    id,
    tty,
    stdin,
    outputs: streams,
    until: rm ? 'removed' : 'next-exit',
    sigProxy,
    detachKeys,
    start,
  });
  return run.catch(async (error) => {
    if (error instanceof StartFailure) await discard(client, id);
    throw error;
  });
}

/**
 * Takes away a container that never ran. docker leaves it there, named and `Created`; what `run` says of the failure
 * is all there is to know of it, and the next try wants its name.
 */
async function discard(client: Client, id: string): Promise<void> {
  // Already gone where the engine took --rm to cover it.
  await client.act('containerRemove', { id, force: true }).catch(() => {});
}
