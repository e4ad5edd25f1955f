import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, parseHost } from '../../engine/client/index.ts';
import { deviations } from './conform.ts';
import { openSession, type ProgressSeen, type ToolSeen } from './session.ts';

/** An engine to try the tools on: it has the image `busybox`, and reaches the registry that `image` names. */
export type EngineUnderTest = {
  readonly host: string;
  /** A reference to an image that it does not have yet. */
  readonly missingImage: string;
};

/** What every engine must let the tools do, by what it shows. */
export const smoke: Readonly<Record<string, (engine: EngineUnderTest) => Promise<void>>> = {
  'networks and volumes are made, shown and pruned': async ({ host }) => {
    await using session = await openSession({ host, flags: ['--toolsets', 'network,volume'] });
    assert.equal((await session.call('network_create', { network: 'smoke-net' })).isError, false);
    assert.equal((await session.call('volume_create', { volume: 'smoke-volume' })).isError, false);
    const network = await session.call('network_inspect', { network: 'smoke-net' });
    assert.match(
      network.text,
      /^network: smoke-net [0-9a-f]{12}\ndriver: bridge\n[\s\S]*labels: .*berth\.mcp=true/,
    );
    const volume = await session.call('volume_inspect', { volume: 'smoke-volume' });
    assert.deepEqual([volume.data.driver, volume.data.bytes, volume.data.containers], ['local', 0, 0]);
    assert.deepEqual((await session.call('network_prune')).data.removed, ['smoke-net']);
    assert.deepEqual((await session.call('volume_prune')).data.removed, ['smoke-volume']);
  },
  'a container is run, listed, inspected, read and removed': async ({ host }) => {
    await using session = await openSession({ host });
    const tools = new Map((await session.list()).map((tool) => [tool.name, tool]));
    const call = async (name: string, args: Record<string, unknown> = {}) => {
      const answer = await session.call(name, args);
      assert.equal(answer.isError, false, answer.text);
      assertConforms(tools.get(name), answer.data);
      return answer;
    };
    const ran = await call('container_run', {
      image: 'busybox',
      command: ['sh', '-c', 'echo to stdout; echo to stderr >&2; exit 3'],
      env: ['API_TOKEN=swordfish', 'PLAIN=shown'],
    });
    const id = String(ran.data.id);
    assert.deepEqual(
      { ...ran.data, id: '', name: '' },
      {
        id: '',
        name: '',
        state: 'exited',
        exitCode: 3,
        stdout: 'to stdout\n',
        stderr: 'to stderr\n',
        truncated: false,
      },
    );
    const listed = await call('container_list', { all: true });
    assert.match(listed.text, new RegExp(`^${id}\t`, 'm'));
    assert.doesNotMatch((await call('container_list')).text, new RegExp(id));
    const inspected = await call('container_inspect', { container: id });
    assert.equal(inspected.data.exitCode, 3);
    assert.equal(inspected.data.memory, 512 * 2 ** 20);
    assert.equal(inspected.data.cpus, 1);
    assert.match(inspected.text, /PLAIN=shown/);
    assert.doesNotMatch(JSON.stringify(inspected), /swordfish/);
    const logs = await call('container_logs', { container: id });
    assert.deepEqual(String(logs.data.log).split('\n').toSorted(), ['to stderr', 'to stdout']);
    await call('container_remove', { container: id });
    assert.equal((await session.call('container_inspect', { container: id })).isError, true);
    assert.match((await call('image_list')).text, /busybox:latest/);
  },

  'a port is published at the loopback alone, and shown': async ({ host }) => {
    await using session = await openSession({ host });
    const run = { image: 'busybox', command: ['sleep', '60'], wait: false };
    const ran = await session.call('container_run', { ...run, ports: ['80', '53/udp'] });
    assert.equal(ran.isError, false, ran.text);
    const container = String(ran.data.id);
    const { data } = await session.call('container_inspect', { container });
    const ports = (data.ports as string[]).toSorted();
    assert.match(ports.join(' '), /^53\/udp 127\.0\.0\.1:\d+ 80\/tcp 127\.0\.0\.1:\d+$/);
    await session.call('container_remove', { container, force: true });
    const refused = await session.call('container_run', { ...run, ports: ['0.0.0.0:80:80'] });
    assert.match(refused.text, /the port '0\.0\.0\.0:80:80' is not allowed through MCP/);
  },

  'a container has no capabilities and its limits': async ({ host }) => {
    await using session = await openSession({ host });
    const command = ['sh', '-c', 'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; id -u'];
    const { data, text } = await session.call('container_run', {
      image: 'busybox',
      command,
      network: 'none',
      rm: true,
    });
    assert.equal(data.exitCode, 0, text);
    assert.match(String(data.stdout), /CapEff:\t0{16}\n/);
    assert.match(String(data.stdout), /CapBnd:\t0{16}\n/);
    assert.match(String(data.stdout), /NoNewPrivs:\t1\n/);
    assert.match(String(data.stdout), /Seccomp:\t2\n/);
  },

  'a missing image is pulled with progress, then run': async ({ host, missingImage }) => {
    await using session = await openSession({ host });
    const seen: ProgressSeen[] = [];
    const args = { image: missingImage, command: ['echo', 'pulled'], network: 'none', rm: true };
    const ran = await session.call('container_run', args, { onprogress: (one) => seen.push(one) });
    assert.equal(ran.data.stdout, 'pulled\n', ran.text);
    assert.match(seen[0]?.message ?? '', /^pulling /);
    assertGrows(seen);
    const pulled = await session.call('image_pull', { image: missingImage });
    assert.equal(pulled.isError, false, pulled.text);
    assert.equal(pulled.data.image, missingImage);
  },

  'a container that takes too long is removed, and what it wrote is shown': async ({ host }) => {
    await using session = await openSession({ host });
    const answer = await session.call('container_run', {
      image: 'busybox',
      command: ['sh', '-c', 'echo started; exec sleep 1000'],
      network: 'none',
      timeout: 2,
    });
    assert.equal(answer.isError, true);
    assert.match(answer.text, /timed out after 2 s.*\nhint: /);
    assert.equal(answer.data.stdout, 'started\n');
    assert.equal(answer.data.state, 'removed');
    assert.deepEqual(await containersOf(host, String(answer.data.id)), []);
  },

  'a cancelled call leaves no container behind': async ({ host }) => {
    await using session = await openSession({ host });
    const name = `cancelled-${process.pid}`;
    const cancel = new AbortController();
    const running = Promise.withResolvers<void>();
    const call = session.call(
      'container_run',
      { image: 'busybox', command: ['sleep', '1000'], network: 'none', name },
      {
        signal: cancel.signal,
        onprogress: ({ message }) => message?.startsWith('running') && running.resolve(),
      },
    );
    call.catch(() => {});
    await running.promise;
    const cancelledAt = performance.now();
    cancel.abort();
    await assert.rejects(call);
    while ((await containersOf(host, name)).length > 0) await delay(10);
    // A second is what calls.test.ts holds Berth's engine to; others are given more.
    assert.ok(performance.now() - cancelledAt < 5000, `gone after ${performance.now() - cancelledAt} ms`);
    assert.equal((await session.call('container_list')).isError, false);
  },

  'what is not there is said, with what to do': async ({ host }) => {
    await using session = await openSession({ host });
    for (const tool of ['container_inspect', 'container_logs', 'container_remove']) {
      const { isError, text } = await session.call(tool, { container: 'nobody' });
      assert.equal(isError, true);
      assert.match(text, /^notFound: .*nobody.*\nhint: container_list/is);
    }
    const run = { image: 'busybox', command: ['no-such-program'], name: `unstarted-${process.pid}` };
    const { isError, text } = await session.call('container_run', run);
    assert.equal(isError, true);
    assert.match(text, /no-such-program/);
    assert.deepEqual(await containersOf(host, run.name), []);
  },
};

/** What the engine itself says of containers whose name or id begins so. */
export async function containersOf(host: string, prefix: string): Promise<readonly string[]> {
  const client = createClient(parseHost(host));
  try {
    const found = await client.call('containerList', { all: true });
    return found
      .filter(
        ({ Id, Names }) => Id.startsWith(prefix) || Names.some((name) => name.slice(1).startsWith(prefix)),
      )
      .map(({ Id }) => Id);
  } finally {
    client.close();
  }
}

export function assertConforms(tool: ToolSeen | undefined, data: Record<string, unknown>): void {
  assert.ok(tool?.outputSchema, 'the tool has an output schema');
  assert.deepEqual(deviations(tool.outputSchema, data), []);
}

export function assertGrows(seen: readonly ProgressSeen[]): void {
  seen.slice(1).forEach(({ progress, total }, at) => {
    assert.ok(progress > (seen[at]?.progress ?? 0), JSON.stringify(seen));
    assert.ok(total === undefined || total >= progress, JSON.stringify(seen));
  });
}
