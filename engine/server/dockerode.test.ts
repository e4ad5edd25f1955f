import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { after, before, describe } from 'node:test';
import Docker from 'dockerode';
import { uniqueName } from '../../workshop/testing/api/containers.ts';
import { metOthersWork } from '../../workshop/testing/api/wire.ts';
import { busyboxImage, pushImage } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { subjects } from '../../workshop/testing/subjects.ts';
import { type TarEntry, tarOf } from '../../workshop/testing/tar.ts';

/** dockerode, the client of the Engine API that Node's world uses: a case for each of its verbs. */

type Case = (docker: Docker, harbour: { readonly registry: string }) => Promise<void>;

/** A container that is removed at its case's end. */
async function make(docker: Docker, script: string, more: Docker.ContainerCreateOptions = {}) {
  const container = await docker.createContainer({
    Image: 'busybox',
    name: uniqueName('dockerode'),
    Cmd: ['sh', '-c', script],
    ...more,
  });
  return {
    container,
    [Symbol.asyncDispose]: () => container.remove({ force: true, v: true }).catch(unlessStatus(404, 409)),
  };
}

async function run(docker: Docker, script: string, more: Docker.ContainerCreateOptions = {}) {
  const made = await make(docker, script, more);
  await made.container.start();
  return made;
}

async function ran(docker: Docker, script: string, more: Docker.ContainerCreateOptions = {}) {
  const made = await run(docker, script, more);
  await made.container.wait();
  return made;
}

const unlessStatus =
  (...statuses: readonly number[]) =>
  (error: { readonly statusCode?: number }) => {
    if (!statuses.includes(error.statusCode ?? 0)) throw error;
  };

/** Asks again while dockerd refuses for what another case does. */
const unhindered = <T>(question: () => Promise<T>): Promise<T> =>
  question().catch((error: Error) => {
    if (!metOthersWork(error.message)) throw error;
    return unhindered(question);
  });

const status = (expected: number, words: RegExp) => (error: { statusCode: number; message: string }) => {
  assert.equal(error.statusCode, expected, error.message);
  assert.match(error.message, words);
  return true;
};

/** What came on the two streams of a container without a terminal. */
async function demuxed(docker: Docker, stream: NodeJS.ReadableStream): Promise<[string, string]> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => {
    out.end();
    err.end();
  });
  return await Promise.all([text(out), text(err)]);
}

/** The lines of a stream of progress, once it has ended. */
const followed = (docker: Docker, stream: NodeJS.ReadableStream) =>
  new Promise<{ status?: string }[]>((resolve, reject) => {
    docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines)));
  });

const readable = (stream: NodeJS.ReadableStream) => stream as Readable;
const archive = (entries: readonly TarEntry[]) => Buffer.from(tarOf(entries));

const cases: Readonly<Record<string, Case>> = {
  'ping, version and info describe the engine': async (docker) => {
    assert.equal(String(await docker.ping()), 'OK');
    const version = await docker.version();
    assert.equal(version.Os, 'linux');
    const info = await docker.info();
    assert.equal(info.ServerVersion, version.Version);
    assert.equal(info.OSType, 'linux');
  },
  'createContainer, start, wait and inspect see a container to its end': async (docker) => {
    await using made = await make(docker, 'exit 3', { Labels: { team: 'harbour' }, Env: ['TIER=web'] });
    assert.equal((await made.container.inspect()).State.Status, 'created');
    await made.container.start();
    assert.equal((await made.container.wait()).StatusCode, 3);
    const { State, Config, HostConfig } = await made.container.inspect();
    assert.deepEqual([State.Status, State.Running, State.ExitCode], ['exited', false, 3]);
    assert.deepEqual(Config.Labels, { team: 'harbour' });
    assert.ok(Config.Env.includes('TIER=web'));
    assert.equal(HostConfig.AutoRemove, false);
  },
  'a start that changes nothing is a 304, a name in use a 409, a container that is not there a 404': async (
    docker,
  ) => {
    await using made = await run(docker, 'sleep 60');
    await assert.rejects(made.container.start(), status(304, /already started/));
    const { Name } = await made.container.inspect();
    const again = docker.createContainer({ Image: 'busybox', name: Name.slice(1) });
    await assert.rejects(again, status(409, /already in use/));
    await assert.rejects(docker.getContainer('nobody').inspect(), status(404, /No such container: nobody/));
  },
  'attach is a stream both ways, over an upgrade and without one': async (docker) => {
    for (const hijack of [true, false]) {
      await using made = await make(docker, 'read line; echo "<$line>"; echo oops >&2', {
        OpenStdin: true,
        StdinOnce: true,
      });
      const all = { stream: true, stdin: true, stdout: true, stderr: true };
      const stream = await made.container.attach({ ...all, hijack });
      const seen = demuxed(docker, stream);
      await made.container.start();
      stream.write('ahoy\n');
      assert.deepEqual(await seen, ['<ahoy>\n', 'oops\n'], `hijack ${hijack}`);
    }
  },
  'logs come as a buffer, or as a stream that follows': async (docker) => {
    await using made = await run(docker, 'echo one; sleep 0.3; echo two; echo oops >&2');
    const stream = await made.container.logs({ follow: true, stdout: true, stderr: true });
    assert.deepEqual(await demuxed(docker, stream), ['one\ntwo\n', 'oops\n']);
    const last = await made.container.logs({ stdout: true, stderr: true, tail: 1 });
    assert.match(String(last), /(two|oops)\n$/);
  },
  'stop, restart and kill end it': async (docker) => {
    await using made = await run(docker, 'sleep 60');
    const pid = async () => (await made.container.inspect()).State.Pid;
    const before = await pid();
    await made.container.restart({ t: 0 });
    assert.notEqual(await pid(), before);
    await made.container.kill({ signal: 'SIGKILL' });
    assert.equal((await made.container.wait()).StatusCode, 137);
    await assert.rejects(made.container.kill(), status(409, /is not running/));
    await made.container.start();
    await made.container.stop({ t: 0 });
    await assert.rejects(made.container.stop(), status(304, /already stopped/));
  },
  'remove refuses what runs, and takes it by force': async (docker) => {
    await using made = await run(docker, 'sleep 60');
    await assert.rejects(made.container.remove(), status(409, /running container/));
    await made.container.remove({ force: true });
    await assert.rejects(made.container.inspect(), status(404, /No such container/));
  },
  'listContainers filters, limits and counts all': async (docker) => {
    const label = uniqueName('label');
    await using stopped = await ran(docker, 'true', { Labels: { [label]: '1' } });
    await using running = await run(docker, 'sleep 60', { Labels: { [label]: '2' } });
    const ids = async (options: Docker.ContainerListOptions) =>
      (await docker.listContainers({ ...options, filters: { label: [label] } })).map(({ Id }) => Id);
    assert.deepEqual(await ids({}), [running.container.id]);
    assert.deepEqual(await ids({ all: true }), [running.container.id, stopped.container.id]);
    assert.deepEqual(await ids({ all: true, limit: 1 }), [running.container.id]);
  },
  'run does it all in one call': async (docker) => {
    const out = new PassThrough();
    const said = text(out);
    const [result, container] = await docker.run('busybox', ['sh', '-c', 'echo ahoy; exit 4'], out);
    out.end();
    assert.equal(result.StatusCode, 4);
    assert.match(await said, /ahoy/);
    await container.remove();
  },
  'getEvents tells a life, and ends at until': async (docker) => {
    const since = Date.now() / 1000;
    await using made = await ran(docker, 'exit 2');
    const events = await docker.getEvents({
      since,
      until: Date.now() / 1000 + 0.05,
      filters: { container: [made.container.id] },
    });
    const lines = (await text(readable(events))).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).Action),
      ['create', 'start', 'die'],
    );
  },
  'getEvents comes live, and a client that leaves is let go': async (docker) => {
    const events = readable(await docker.getEvents({ filters: { event: ['die'] } }));
    await using made = await ran(docker, 'exit 0');
    const seen = await Array.fromAsync(
      events
        .take(100)
        .filter((chunk) => String(chunk).includes(made.container.id))
        .take(1),
    );
    assert.equal(seen.length, 1);
    events.destroy();
    assert.equal(String(await docker.ping()), 'OK');
  },
  'resize changes the size of a terminal': async (docker) => {
    await using made = await make(docker, 'read line; stty size', { OpenStdin: true, Tty: true });
    const stream = await made.container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    await made.container.start();
    await made.container.resize({ h: 23, w: 67 });
    stream.write('go\n');
    assert.match(await text(readable(stream)), /23 67/);
  },
  'rename gives it another name': async (docker) => {
    await using made = await make(docker, 'true');
    const name = uniqueName('renamed');
    await made.container.rename({ name });
    assert.equal((await docker.getContainer(name).inspect()).Id, made.container.id);
  },
  'pause and unpause hold it still': async (docker) => {
    await using made = await run(docker, 'sleep 60');
    const state = async () => (await made.container.inspect()).State;
    await made.container.pause();
    assert.deepEqual([(await state()).Status, (await state()).Paused], ['paused', true]);
    await assert.rejects(made.container.pause(), status(409, /already paused/));
    await made.container.unpause();
    assert.equal((await state()).Status, 'running');
  },
  'update changes its limits': async (docker) => {
    await using made = await run(docker, 'sleep 60');
    const answer = await made.container.update({ Memory: 64 * 2 ** 20, MemorySwap: -1, CpuShares: 512 });
    assert.ok('Warnings' in answer);
    const { HostConfig } = await made.container.inspect();
    assert.deepEqual([HostConfig.Memory, HostConfig.CpuShares], [64 * 2 ** 20, 512]);
  },
  'top lists its processes': async (docker) => {
    await using made = await run(docker, 'sleep 60; true');
    const { Titles, Processes } = await made.container.top({ ps_args: '-eo pid,args' });
    assert.deepEqual(Titles, ['PID', 'COMMAND']);
    assert.ok(Processes.some(([, args]: string[]) => args === 'sh -c sleep 60; true'));
  },
  'changes lists what it wrote': async (docker) => {
    await using made = await ran(docker, 'echo x > /tmp/made');
    const changes = (await made.container.changes()) as { Path: string; Kind: number }[];
    assert.ok(changes.some(({ Path, Kind }) => Path === '/tmp/made' && Kind === 1));
  },
  'stats come once, or as a stream': async (docker) => {
    await using made = await run(docker, 'sleep 60');
    const once_ = await made.container.stats({ stream: false });
    assert.ok(once_.memory_stats.usage > 0);
    assert.equal(typeof once_.cpu_stats.cpu_usage.total_usage, 'number');
    const stream = readable(await made.container.stats({ stream: true }));
    const [first] = await once(stream, 'data');
    assert.equal(JSON.parse(String(first)).id, made.container.id);
    stream.destroy();
  },
  'exec runs a command in it, with its streams and its exit code': async (docker) => {
    await using made = await run(docker, 'sleep 60');
    const exec = await made.container.exec({
      Cmd: ['sh', '-c', 'read line; echo "$TIER $line in $(pwd)"; echo oops >&2; exit 5'],
      Env: ['TIER=web'],
      WorkingDir: '/tmp',
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const seen = demuxed(docker, stream);
    stream.write('ahoy\n');
    assert.deepEqual(await seen, ['web ahoy in /tmp\n', 'oops\n']);
    const { ExitCode, Running, ContainerID } = await exec.inspect();
    assert.deepEqual([ExitCode, Running, ContainerID], [5, false, made.container.id]);
    await assert.rejects(docker.getExec('nobody').inspect(), status(404, /No such exec instance/));
  },
  'putArchive, infoArchive and getArchive carry files in and out': async (docker) => {
    await using made = await make(docker, 'cat /tmp/note');
    await made.container.putArchive(archive([{ name: 'note', content: 'ahoy\n' }]), { path: '/tmp' });
    const info = readable(
      (await made.container.infoArchive({ path: '/tmp/note' })) as Readable,
    ) as Readable & {
      headers: Record<string, string>;
    };
    const stat = JSON.parse(
      Buffer.from(info.headers['x-docker-container-path-stat'] ?? '', 'base64').toString(),
    );
    assert.deepEqual([stat.name, stat.size], ['note', 5]);
    const out = await text(readable(await made.container.getArchive({ path: '/tmp/note' })));
    assert.ok(out.startsWith('note\0') && out.includes('ahoy\n'));
    await made.container.start();
    await made.container.wait();
    assert.match(String(await made.container.logs({ stdout: true, stderr: true })), /ahoy/);
  },
  'export is its whole file system': async (docker) => {
    await using made = await ran(docker, 'echo x > /tmp/made');
    const whole = await text(readable(await made.container.export()));
    assert.ok(whole.includes('tmp/made\0') && whole.includes('bin/busybox\0'));
  },
  'commit makes an image of it': async (docker) => {
    await using made = await ran(docker, 'echo x > /tmp/made');
    const repo = uniqueName('committed');
    // Another case's prune may take the image before it has its name.
    const { Id } = await unhindered(() => made.container.commit({ repo, tag: 'v1', comment: 'as it was' }));
    const image = docker.getImage(`${repo}:v1`);
    assert.equal((await image.inspect()).Id, Id);
    await image.remove();
  },
  'pruneContainers takes those that ended': async (docker) => {
    const label = uniqueName('label');
    await using made = await ran(docker, 'true', { Labels: { [label]: '' } });
    const { ContainersDeleted } = await unhindered(() =>
      docker.pruneContainers({ filters: { label: [label] } }),
    );
    assert.deepEqual(ContainersDeleted, [made.container.id]);
  },
  'pull, inspect, listImages and remove handle an image of a registry': async (docker, { registry }) => {
    const name = `${registry}/harbour/busybox:latest`;
    const lines = await followed(docker, await docker.pull(name));
    assert.equal(lines.at(-1)?.status, `Status: Downloaded newer image for ${name}`);
    const image = docker.getImage(name);
    assert.equal((await image.inspect()).Os, 'linux');
    const listed = await unhindered(() => docker.listImages({ filters: { reference: [name] } }));
    assert.deepEqual(
      listed.map(({ RepoTags }) => RepoTags?.includes(name)),
      [true],
    );
    await image.remove();
    await assert.rejects(image.inspect(), status(404, /no such image/i));
    await assert.rejects(docker.pull(`${registry}/harbour/nobody:latest`), status(404, /nobody/));
  },
  'tag and history of an image': async (docker) => {
    const repo = uniqueName('tagged');
    const busybox = docker.getImage('busybox');
    await busybox.tag({ repo, tag: 'v1' });
    const tagged = docker.getImage(`${repo}:v1`);
    assert.equal((await tagged.inspect()).Id, (await busybox.inspect()).Id);
    assert.ok((await tagged.history()).length >= 1);
    await tagged.remove();
  },
  'pruneImages leaves what has a name': async (docker) => {
    const { SpaceReclaimed } = await unhindered(() =>
      docker.pruneImages({ filters: { dangling: { true: true } } }),
    );
    assert.equal(typeof SpaceReclaimed, 'number');
    assert.equal((await docker.getImage('busybox').inspect()).Os, 'linux');
  },
  'df counts what is on the disk': async (docker) => {
    await using made = await ran(docker, 'echo x > /tmp/made');
    const { Containers, Images } = await unhindered(() => docker.df());
    assert.ok(Containers.some(({ Id }: { Id: string }) => Id === made.container.id));
    assert.ok(Images.length >= 1);
  },
  'listNetworks and inspect know the default network': async (docker) => {
    const names = (await docker.listNetworks()).map(({ Name }) => Name);
    for (const name of ['bridge', 'host', 'none']) assert.ok(names.includes(name), name);
    assert.equal((await docker.getNetwork('bridge').inspect()).Driver, 'bridge');
  },
};

for (const [name, { skip, start }] of Object.entries(subjects)) {
  describe(`dockerode on ${name}`, { concurrency: 4, skip: skip ?? false }, () => {
    const stack = new AsyncDisposableStack();
    const started = Promise.withResolvers<Parameters<Case>>();
    before(async () => {
      const registry = stack.use(await startRegistry());
      const { layers, config } = await busyboxImage();
      await pushImage({
        registry,
        name: 'harbour/busybox',
        layers,
        config: { ...config, Labels: { of: 'ode' } },
      });
      const engine = stack.use(await start());
      if (engine === undefined) throw new Error(`${name} did not start`);
      await engine.reachPort(Number(registry.host.split(':')[1]));
      started.resolve([new Docker({ socketPath: engine.socketPath }), { registry: registry.host }]);
    });
    after(() => stack.disposeAsync());
    for (const [title, check] of Object.entries(cases)) {
      test(title, { timeout: 60_000 }, async () => check(...(await started.promise)));
    }
  });
}
