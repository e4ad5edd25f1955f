import { createBody, createFields } from '../../engine/api/create.ts';
import { BerthError } from '../../engine/api/errors.ts';
import { boolean, integer as integerField, list, string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import { parseReference } from '../../engine/api/reference.ts';
import type { CreateContainerBody } from '../../engine/api/wire.ts';
import { clip } from '../budget.ts';
import { createWithImage, discard, nameOf, waitForEnd } from '../lifetime.ts';
import { shortId } from '../names.ts';
import { type Output, readOutput } from '../output.ts';
import {
  allowedLimits,
  allowedNetwork,
  allowedPort,
  assertConfined,
  assertOurs,
  defaults,
  MCP_LABEL,
  type Policy,
} from '../policy.ts';
import { described, integer, optional, record, text, truth } from '../schema.ts';
import { type Call, type Outcome, tool } from '../tool.ts';

/** Below the minute after which many clients give up on a call, whatever progress it shows. */
const DEFAULT_TIMEOUT_SECONDS = 50;
const MAX_TIMEOUT_SECONDS = 24 * 60 * 60;

const { name, env, workdir, user, entrypoint, memory, cpus, publish, rm } = createFields;

const fields = {
  image: operations.imagePull.query.fromImage,
  command: list('Program and arguments; no shell is implied'),
  name,
  env: { ...env, summary: 'Environment, as NAME=VALUE' },
  workdir,
  user,
  entrypoint,
  memory: { ...memory, summary: `${memory.summary}; 512m if not given` },
  cpus: { ...cpus, summary: `${cpus.summary}; 1 if not given` },
  network: string('Network: bridge, none or a name'),
  ports: { ...publish, summary: 'Ports to publish on 127.0.0.1, as [HOST:]PORT[/PROTOCOL]' },
  volumes: list('Volumes that were created here, as NAME:/path[:ro]'),
  rm,
  wait: boolean('Wait until it ends', { default: true }),
  timeout: integerField('Seconds to wait before it is stopped and removed', {
    min: 1,
    max: MAX_TIMEOUT_SECONDS,
    default: DEFAULT_TIMEOUT_SECONDS,
  }),
};

const output = record({
  id: text,
  name: text,
  state: described(text, 'running, exited, removed'),
  exitCode: optional(integer),
  stdout: text,
  stderr: text,
  truncated: truth,
});

export const containerRun = tool({
  name: 'container_run',
  description: 'Run a command in a new container and return what it wrote. Pulls the image if it is missing.',
  hints: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  fields,
  required: ['image'],
  output,
  async run(args, call) {
    const { wait = true, timeout = DEFAULT_TIMEOUT_SECONDS } = args;
    const body = confinedBody({ ...args, mount: await volumesOf(args.volumes, call) }, call.policy);
    // Whatever happens below, the container goes again unless it gets to stay on purpose.
    await using undo = new AsyncDisposableStack();
    const id = await createWithImage({ image: args.image, name: args.name, body }, call);
    undo.defer(() => discard(id, call));
    call.signal.throwIfAborted();
    await call.engine.act('containerStart', { id }, { signal: call.signal });
    call.progress.report('running');
    if (!wait) {
      const named = { id: shortId(id), name: await nameOf(id, args.name, call) };
      undo.move();
      return outcome({ ...named, state: 'running', output: NO_OUTPUT });
    }
    const exitCode = await waitForEnd(id, timeout, call);
    const named = { id: shortId(id), name: await nameOf(id, args.name, call) };
    const written = await readOutput(call.engine, { id, signal: call.signal });
    if (exitCode === undefined) {
      return outcome({ ...named, state: 'removed', output: written, timedOutAfter: timeout });
    }
    if (!args.rm) undo.move();
    return outcome({ ...named, state: args.rm ? 'removed' : 'exited', exitCode, output: written });
  },
});

/** The body of a container that has nothing of the host's: see docs/mcp.md. Throws `invalid`, `forbidden`. */
function confinedBody(
  args: Omit<Parameters<typeof createBody>[2], 'interactive' | 'network'> & {
    readonly image: string;
    readonly command?: readonly string[] | undefined;
    readonly wait?: boolean | undefined;
    readonly network?: string | undefined;
    readonly ports?: readonly string[] | undefined;
  },
  policy: Policy,
): CreateContainerBody {
  parseReference(args.image);
  for (const variable of args.env ?? []) {
    // A bare NAME would pass on this server's own variable.
    if (!/^[^=\0]+=/.test(variable)) {
      throw new BerthError('invalid', 'an environment variable is not of the form NAME=VALUE');
    }
  }
  const body = createBody(args.image, args.command ?? [], {
    env: args.env,
    workdir: args.workdir,
    user: args.user,
    entrypoint: args.entrypoint,
    mount: args.mount,
    network: args.network === undefined ? undefined : [allowedNetwork(args.network)],
    publish: args.ports?.map(allowedPort),
    ...allowedLimits(policy, args),
    pidsLimit: defaults.pids,
    capDrop: ['ALL'],
    securityOpt: ['no-new-privileges'],
    label: [`${MCP_LABEL}=true`],
    // A waited-for container is removed once its output is read; the engine must not be faster.
    rm: args.wait === false && args.rm,
  });
  assertConfined(body);
  return body;
}

/** Volumes that were made through MCP, as `--mount` takes them. Throws `invalid`, `forbidden`, `notFound`. */
async function volumesOf(
  texts: readonly string[] = [],
  { engine, policy, signal }: Call,
): Promise<readonly string[]> {
  const mounts: string[] = [];
  for (const text of texts) {
    const [, name = '', path = '', readOnly] = /^([\w.-]+):(\/[^:,"]*)(:ro)?$/.exec(text) ?? [];
    if (name === '') {
      throw new BerthError('invalid', `invalid volume '${clip(text, 64)}': expected NAME:/path[:ro]`, {
        hint: 'volume_create makes one; directories of the host are not mounted',
      });
    }
    const { Labels } = await engine.call('volumeInspect', { name }, { signal });
    assertOurs(policy, { kind: 'volume', name, labels: Labels });
    mounts.push(`type=volume,src=${name},dst=${path}${readOnly === undefined ? '' : ',readonly'}`);
  }
  return mounts;
}

const NO_OUTPUT: Output = { stdout: '', stderr: '', truncated: false };

function outcome(end: {
  readonly id: string;
  readonly name: string;
  readonly state: 'running' | 'exited' | 'removed';
  readonly exitCode?: number;
  readonly output: Output;
  readonly timedOutAfter?: number;
}): Outcome<
  Record<'id' | 'name' | 'state' | 'stdout' | 'stderr', string> & { truncated: boolean; exitCode?: number }
> {
  const { id, name, state, exitCode, output, timedOutAfter } = end;
  const head =
    timedOutAfter !== undefined
      ? `timed out after ${timedOutAfter} s: ${name} was stopped and removed\nhint: give a longer timeout, or wait: false`
      : exitCode === undefined
        ? `running: ${name} (${id})`
        : `exit code ${exitCode}: ${name} (${id}${state === 'removed' ? ', removed' : ''})`;
  const streams = (['stdout', 'stderr'] as const).filter((stream) => output[stream] !== '');
  const more = state === 'exited' ? `: container_logs ${name} has more` : '';
  return {
    text: [
      head,
      ...streams.map((stream) => `${stream}:\n${output[stream].replace(/\n$/, '')}`),
      ...(output.truncated ? [`[only the end is shown${more}]`] : []),
    ].join('\n'),
    data: { id, name, state, ...(exitCode === undefined ? {} : { exitCode }), ...output },
    failed: timedOutAfter !== undefined,
  };
}
