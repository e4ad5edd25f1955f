import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { openTestContainers } from '../../workshop/testing/containers.ts';
import { BerthError } from '../api/errors.ts';

const boom = async () => {
  throw new BerthError('internal', 'boom');
};

test('a run gives the exit code and both streams, and removal leaves nothing', async () => {
  await using fixture = await openTestContainers();
  const { id, exitCode, output } = await fixture.run({ Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 7'] });
  assert.equal(exitCode, 7);
  assert.deepEqual(output.split('\n').sort(), ['', 'err', 'out']);
  await fixture.containers.remove(id, {});
  assert.deepEqual(fixture.left(), []);
  assert.equal(existsSync(join(fixture.root, 'containers', id)), false);
});

test('processor, memory and processes are limited in the cgroup', async () => {
  await using fixture = await openTestContainers();
  const read =
    'cd /sys/fs/cgroup; for f in memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max memory.max cpu.max pids.max; do cat $f 2>/dev/null; done';
  const { output } = await fixture.run({
    Cmd: ['sh', '-c', read],
    HostConfig: { Memory: 64 * 2 ** 20, NanoCpus: 5e8, PidsLimit: 20 },
  });
  assert.match(output.replaceAll('\n', ' '), /^(67108864 50000 20|67108864 50000 100000 20) $/);
});

test('a process over its memory limit is killed, and inspect says why', async () => {
  await using fixture = await openTestContainers();
  const hog = 'x=$(cat /dev/zero | busybox head -c 200000000 | busybox tr "\\000" x); echo survived';
  const { id, exitCode, output } = await fixture.run({
    Cmd: ['sh', '-c', hog],
    HostConfig: { Memory: 16 * 2 ** 20 },
  });
  assert.notEqual(exitCode, 0);
  assert.doesNotMatch(output, /survived/);
  assert.equal((await fixture.containers.inspect(id)).State.OOMKilled, true);
});

test('stop sends the stop signal, and kills after the grace period', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const stop = async (script: string, timeout: number) => {
    const { Id } = await containers.create(
      { Image: 'busybox', Cmd: ['sh', '-c', script], StopSignal: 'SIGUSR1' },
      {},
    );
    const attached = containers.attach(Id, { stdout: true, stream: true });
    await containers.start(Id);
    // The trap is set when the first line comes.
    for await (const _ready of attached.output) break;
    const began = performance.now();
    assert.equal(await containers.stop(Id, { timeout }), true);
    assert.equal(await containers.stop(Id, { timeout }), false);
    return {
      code: (await containers.inspect(Id)).State.ExitCode,
      seconds: (performance.now() - began) / 1000,
    };
  };
  const obeys = await stop('trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done', 30);
  assert.equal(obeys.code, 9);
  assert.ok(obeys.seconds < 20, `it took ${obeys.seconds} s`);
  const ignores = await stop('trap "" USR1 TERM; echo ready; while :; do sleep 0.05; done', 1);
  assert.equal(ignores.code, 137);
  assert.ok(ignores.seconds >= 1, `it took ${ignores.seconds} s`);
});

test('a step of the start that fails undoes those before it', async () => {
  const body = { Image: 'busybox', Cmd: ['true'] };
  const cases = {
    network: { fault: 'network', body, says: /boom/ },
    user: { fault: 'none', body: { ...body, User: 'nobody-here' }, says: /unable to find user nobody-here/ },
    directory: { fault: 'none', body: { ...body, WorkingDir: '/bin/sh/x' }, says: /not a directory/ },
    program: { fault: 'none', body: { ...body, Cmd: ['nope'] }, says: /executable file not found/ },
    start: { fault: 'start', body, says: /boom/ },
  };
  for (const [name, { fault, body: given, says }] of Object.entries(cases)) {
    await using fixture = await openTestContainers((parts) => ({
      ...parts,
      networks: fault === 'network' ? { ...parts.networks, start: boom } : parts.networks,
      runtime: fault === 'start' ? { ...parts.runtime, start: boom } : parts.runtime,
    }));
    const { Id } = await fixture.containers.create(given, {});
    await assert.rejects(fixture.containers.start(Id), says, name);
    assert.deepEqual(fixture.left(), [], name);
    const seen = await fixture.containers.inspect(Id);
    assert.equal(seen.State.Status, 'created', name);
    assert.match(seen.State.Error, says, name);
    assert.equal(seen.NetworkSettings.IPAddress, '', name);
  }
});

test('create refuses bad input by name and leaves nothing', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  await containers.create({ Image: 'busybox', Cmd: ['true'] }, { name: 'taken' });
  const wrong: readonly [object, object, RegExp][] = [
    [{}, { name: 'taken' }, /"\/taken" is already in use/],
    [{}, { name: '-x' }, /Invalid container name \(-x\)/],
    [{ Cmd: 'x\0y' }, {}, /null bytes/],
    [{ Env: ['=1'] }, {}, /invalid Env\.0: "=1"/],
    [{ WorkingDir: 'here' }, {}, /invalid WorkingDir: "here"/],
    [{ StopSignal: 'SIGNOPE' }, {}, /Invalid signal: SIGNOPE/],
    [{ HostConfig: { Memory: 4096 } }, {}, /invalid Memory 4096: Minimum memory limit allowed is 6MB/],
    [{ HostConfig: { Memory: 'lots' } }, {}, /invalid HostConfig\.Memory: "lots"/],
    [{ HostConfig: { CapAdd: ['FLY'] } }, {}, /invalid capability 'FLY'/],
    [{ HostConfig: { NetworkMode: 'moon' } }, {}, /network moon not found/],
    [{ HostConfig: { Binds: ['/a:/x', '/b:/x/'] } }, {}, /Duplicate mount point: \/x/],
    [{ HostConfig: { ExtraHosts: ['foo'] } }, {}, /invalid HostConfig\.ExtraHosts\.0: "foo": NAME:ADDRESS/],
    [{ HostConfig: { ExtraHosts: ['a:1.2.3.4\n6.6.6.6 bank'] } }, {}, /invalid HostConfig\.ExtraHosts\.0/],
    [{ HostConfig: { Dns: ['1.1.1.1\noptions x'] } }, {}, /invalid HostConfig\.Dns\.0: .*: an IP address/],
    [{ HostConfig: { DnsSearch: ['a\nnameserver 6.6.6.6'] } }, {}, /invalid HostConfig\.DnsSearch\.0/],
    [{ HostConfig: { ConsoleSize: 5 } }, {}, /invalid HostConfig\.ConsoleSize: 5/],
    [{ HostConfig: { NanoCpus: 5 } }, {}, /invalid NanoCpus 5: at least 10000000/],
    [{ HostConfig: { MemorySwap: 2 ** 30 } }, {}, /invalid MemorySwap 1073741824/],
    [{ HostConfig: { Binds: ['/a:b'] } }, {}, /invalid volume specification: '\/a:b'/],
    [{ HostConfig: { RestartPolicy: { Name: 'often' } } }, {}, /invalid restart policy 'often'/],
    [{ HostConfig: { KernelMemory: 2 ** 26 } }, {}, /HostConfig\.KernelMemory is not supported/],
    [{ HostConfig: { Sysctls: { 'kernel.panic': '1' } } }, {}, /"kernel.panic" is not in a separate/],
    [{ HostConfig: { SecurityOpt: ['seccomp=/x'] } }, {}, /Decoding seccomp profile failed/],
  ];
  for (const [body, options, says] of wrong) {
    await assert.rejects(
      containers.create({ Image: 'busybox', Cmd: ['true'], ...body }, options),
      says,
      String(says),
    );
  }
  assert.equal((await containers.list({ all: true })).length, 1);
});

test('extra hosts stand in /etc/hosts, host-gateway as the address of the bridge', async () => {
  await using fixture = await openTestContainers();
  const ExtraHosts = ['four:10.1.2.3', 'six=[fd00::1]', 'host.docker.internal:host-gateway'];
  const { id, output } = await fixture.run({
    Cmd: ['sh', '-c', 'cat /etc/hosts; ip route'],
    HostConfig: { ExtraHosts },
  });
  const gateway = /default via (\S+)/.exec(output)?.[1];
  for (const line of ['10.1.2.3\tfour', 'fd00::1\tsix', `${gateway}\thost.docker.internal`]) {
    assert.ok(output.includes(`${line}\n`), `${line} in ${output}`);
  }
  await fixture.containers.remove(id, {});
  const { Id } = await fixture.containers.create(
    { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none', ExtraHosts: ['h:host-gateway'] } },
    {},
  );
  await assert.rejects(fixture.containers.start(Id), /host-gateway means nothing without a bridge/);
});

test('what clients send to say nothing is accepted', async () => {
  await using fixture = await openTestContainers();
  const nothing = {
    PortBindings: {},
    Links: null,
    ShmSize: 0,
    Ulimits: [],
    MemorySwappiness: -1,
    IpcMode: '',
    LogConfig: { Type: '', Config: {} },
  };
  const networking = { EndpointsConfig: { default: { IPAMConfig: null, Aliases: [] } } };
  const { exitCode } = await fixture.run({
    Cmd: ['true'],
    HostConfig: nothing,
    NetworkingConfig: networking,
    Volumes: {},
  });
  assert.equal(exitCode, 0);
});

test('a container that was started is found running by the next start of the engine, and its end is seen', async () => {
  await using fixture = await openTestContainers();
  const { Id } = await fixture.containers.create(
    {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'echo before; cat; echo after; exit 5'],
      OpenStdin: true,
      StdinOnce: true,
    },
    {},
  );
  await fixture.containers.start(Id);
  const later = await fixture.reopen();
  const before = await later.inspect(Id);
  assert.equal(before.State.Status, 'running');
  const attached = later.attach(Id, { stdin: true, stdout: true, stream: true, logs: true });
  attached.input?.end('given\n');
  const lines: string[] = [];
  for await (const { data } of attached.output) lines.push(data.toString());
  attached.close();
  assert.equal(lines.join(''), 'before\ngiven\nafter\n');
  assert.equal((await later.wait(Id, 'not-running', AbortSignal.timeout(10_000))).StatusCode, 5);
});

test('a container that ended while there was no engine has its exit code at the next start', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const started = async (autoRemove: boolean) => {
    const { Id } = await containers.create(
      {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'read x; exit 6'],
        OpenStdin: true,
        HostConfig: { AutoRemove: autoRemove },
      },
      {},
    );
    await containers.start(Id);
    return Id;
  };
  const [kept, dropped] = [await started(false), await started(true)];
  const pids = await Promise.all([kept, dropped].map(async (id) => (await containers.inspect(id)).State.Pid));
  containers.close();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await Promise.all([kept, dropped].map((id) => appears(join(fixture.root, 'run', 'exits', id))));
  const later = await fixture.reopen();
  assert.deepEqual(
    (await later.list({ all: true })).map(({ Id }) => Id),
    [kept],
  );
  const { State } = await later.inspect(kept);
  assert.deepEqual([State.Status, State.ExitCode], ['exited', 137]);
  assert.deepEqual(fixture.left(), []);
});

test('what has no row is swept at the next start', async () => {
  await using fixture = await openTestContainers();
  const id = randomBytes(32).toString('hex');
  for (const directory of ['containers', 'run/containers'])
    await mkdir(join(fixture.root, directory, id), { recursive: true });
  await writeFile(join(fixture.root, 'run', 'exits', id), '0');
  assert.notDeepEqual(fixture.left(), []);
  await fixture.reopen();
  assert.deepEqual(fixture.left(), []);
  assert.equal(existsSync(join(fixture.root, 'containers', id)), false);
});

test('ten containers at once get ten addresses and leave nothing', async () => {
  await using fixture = await openTestContainers();
  const runs = await Promise.all(
    Array.from({ length: 10 }, () => fixture.run({ Cmd: ['ip', '-4', '-o', 'addr', 'show', 'eth0'] })),
  );
  const addresses = runs.map(({ output }) => /inet ([\d.]+)/.exec(output)?.[1]);
  assert.equal(new Set(addresses).size, 10);
  assert.ok(!addresses.includes(undefined));
  await Promise.all(runs.map(({ id }) => fixture.containers.remove(id, {})));
  assert.deepEqual(fixture.left(), []);
});

test('a hundred containers made at once get a hundred names', async () => {
  await using fixture = await openTestContainers();
  const create = () => fixture.containers.create({ Image: 'busybox', Cmd: ['true'] }, {});
  await Promise.all(Array.from({ length: 100 }, create));
  const names = (await fixture.containers.list({ all: true })).flatMap(({ Names }) => Names);
  assert.equal(new Set(names).size, 100);
});

test('a list is newest first and keeps what the filters say', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const make = async (name: string, tier: string) =>
    (await containers.create({ Image: 'busybox', Cmd: ['true'], Labels: { tier } }, { name })).Id;
  await make('web-1', 'front');
  const id = await make('web-2', 'front');
  await make('db', 'back');
  const names = async (filter: Record<string, string[]>) =>
    (await containers.list({ all: true, filter })).map(({ Names }) => Names[0]);
  assert.deepEqual(await names({}), ['/db', '/web-2', '/web-1']);
  assert.deepEqual(await names({ name: ['^web'] }), ['/web-2', '/web-1']);
  assert.deepEqual(await names({ label: ['tier=back'] }), ['/db']);
  assert.deepEqual(await names({ since: ['web-1'], status: ['created'] }), ['/db', '/web-2']);
  assert.deepEqual(await names({ id: [id.slice(0, 12)] }), ['/web-2']);
  assert.deepEqual(await containers.list({}), []);
  await assert.rejects(containers.list({ filter: { colour: ['red'] } }), /invalid filter 'colour'/);
  await assert.rejects(containers.list({ filter: { status: ['happy'] } }), /invalid filter 'status=happy'/);
  assert.equal((await containers.inspect(id.slice(0, 8))).Id, id);
  await assert.rejects(containers.inspect('nothing'), /No such container: nothing/);
});

/** Waits until a path is there. */
async function appears(path: string): Promise<void> {
  const seen = Promise.withResolvers<void>();
  const look = () => {
    if (existsSync(path)) seen.resolve();
  };
  // The watch stands when this returns, unlike that of node:fs/promises: what comes after the first look is seen.
  using _watcher = closing(watch(dirname(path), look));
  look();
  await seen.promise;
}

function closing(watcher: FSWatcher): Disposable {
  return { [Symbol.dispose]: () => watcher.close() };
}
