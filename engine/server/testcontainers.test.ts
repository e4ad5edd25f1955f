import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import test, { after, before, describe } from 'node:test';
import { GenericContainer, PullPolicy, type StartedTestContainer, Wait } from 'testcontainers';
import { uniqueName } from '../../workshop/testing/api/containers.ts';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { busyboxImage, pushImage } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';

/** testcontainers for Node on this engine: what people's test suites do with containers, a case for each verb. */

type Harbour = {
  readonly engine: TestEngine;
  readonly registry: string;
  /** A directory of this machine. */
  readonly directory: string;
};

const ready = Wait.forLogMessage('ready');
const stays = (script = ':') => ['sh', '-c', `${script}; echo ready; exec sleep 60`];
const busybox = () => new GenericContainer('busybox');

async function output(container: StartedTestContainer, command: string): Promise<string> {
  const { output, exitCode } = await container.exec(['sh', '-c', command]);
  assert.equal(exitCode, 0, output);
  return output.trim();
}

const cases: Readonly<Record<string, (harbour: Harbour) => Promise<void>>> = {
  'start waits for a line of the log, and stop removes the container': async ({ engine }) => {
    const name = uniqueName('testcontainers');
    const started = await busybox()
      .withName(name)
      .withLabels({ team: 'harbour' })
      .withHostname('pier')
      .withCommand(stays('sleep 0.2'))
      .withWaitStrategy(ready)
      .start();
    assert.equal(started.getName(), `/${name}`);
    assert.equal(started.getLabels().team, 'harbour');
    assert.match(started.getIpAddress('bridge'), /^\d+\.\d+\.\d+\.\d+$/);
    assert.deepEqual(started.getNetworkNames(), ['bridge']);
    const { Config } = await engine.client.call('containerInspect', { id: started.getId() });
    assert.equal(Config.Hostname, 'pier');
    await started.stop();
    const { status } = await engine.client.call('containerInspect', { id: started.getId() }).then(
      () => ({ status: 200 }),
      (error: { code: string }) => ({ status: error.code }),
    );
    assert.equal(status, 'notFound');
  },
  'environment, entrypoint, working directory and user reach the program': async () => {
    await using started = await busybox()
      .withEnvironment({ TIER: 'web' })
      .withEntrypoint(['sh', '-c'])
      .withCommand(['echo "$TIER $PWD $(id -u)"; echo ready; exec sleep 60'])
      .withWorkingDir('/tmp')
      .withUser('1000')
      .withWaitStrategy(ready)
      .start();
    const lines = (await started.logs({ tail: 2 })).take(1);
    assert.match(await text(lines), /^web \/tmp 1000/);
  },
  'a one-shot container has run when start returns': async () => {
    await using started = await busybox()
      .withCommand(['sh', '-c', 'echo done'])
      .withWaitStrategy(Wait.forOneShotStartup())
      .start();
    assert.match(started.getId(), /^[0-9a-f]{64}$/);
    await assert.rejects(
      busybox().withCommand(['false']).withWaitStrategy(Wait.forOneShotStartup()).start(),
      /exited|exit code|failed/i,
    );
  },
  'a log consumer sees each line as it is written': async () => {
    const lines = Promise.withResolvers<string>();
    let seen = '';
    await using _started = await busybox()
      .withCommand(stays('echo one; sleep 0.2; echo two'))
      .withLogConsumer((stream) => {
        stream.on('data', (chunk) => {
          seen += chunk;
          if (seen.includes('two')) lines.resolve(seen);
        });
      })
      .withWaitStrategy(ready)
      .start();
    assert.match(await lines.promise, /one\s+two/);
  },
  'restart keeps the container and waits for it again': async () => {
    await using started = await busybox().withCommand(stays()).withWaitStrategy(ready).start();
    const id = started.getId();
    await started.restart();
    assert.equal(started.getId(), id);
    assert.match(started.getIpAddress('bridge'), /^\d+\.\d+\.\d+\.\d+$/);
  },
  'stop may leave the container there': async ({ engine }) => {
    const started = await busybox()
      .withCommand(stays())
      .withAutoRemove(false)
      .withWaitStrategy(ready)
      .start();
    await started.stop({ remove: false });
    const { State } = await engine.client.call('containerInspect', { id: started.getId() });
    assert.equal(State.Running, false);
    await engine.client.act('containerRemove', { id: started.getId() });
  },
  'a container that is to be reused is found by its label': async ({ engine }) => {
    const reusable = () =>
      busybox().withCommand(stays()).withLabels({ reuse: 'yes' }).withReuse().withWaitStrategy(ready);
    const first = await reusable().start();
    const second = await reusable().start();
    assert.equal(second.getId(), first.getId());
    await engine.client.act('containerRemove', { id: first.getId(), force: true });
  },
  'an image is pulled from its registry where the policy says so': async ({ registry }) => {
    const image = new GenericContainer(`${registry}/harbour/busybox:latest`);
    await using _started = await image
      .withPullPolicy(PullPolicy.alwaysPull())
      .withCommand(stays())
      .withWaitStrategy(ready)
      .start();
    await assert.rejects(new GenericContainer(`${registry}/harbour/nobody`).start(), /nobody/);
  },
  'resource quotas, capabilities, hosts and a network mode are taken': async ({ engine }) => {
    await using started = await busybox()
      .withResourcesQuota({ memory: 0.125, cpu: 0.5 })
      .withAddedCapabilities('NET_ADMIN')
      .withDroppedCapabilities('NET_RAW')
      .withExtraHosts([{ host: 'pier', ipAddress: '10.0.0.9' }])
      .withNetworkMode('none')
      .withTmpFs({ '/scratch': 'size=1m' })
      .withUlimits({ nofile: { soft: 200, hard: 200 } })
      .withSharedMemorySize(2 * 2 ** 20)
      .withSecurityOpt('no-new-privileges')
      .withCommand(stays('ulimit -n; grep pier /etc/hosts'))
      .withWaitStrategy(Wait.forAll([Wait.forLogMessage('200'), Wait.forLogMessage('10.0.0.9'), ready]))
      .start();
    const { HostConfig } = await engine.client.call('containerInspect', { id: started.getId() });
    assert.deepEqual([HostConfig.Memory, HostConfig.NanoCpus], [2 ** 27, 5e8]);
    assert.deepEqual([HostConfig.NetworkMode, HostConfig.ShmSize], ['none', 2 * 2 ** 20]);
  },
  'a directory of the host is bound': async ({ directory }) => {
    await writeFile(`${directory}/note`, 'ahoy\n');
    await using _started = await busybox()
      .withBindMounts([{ source: directory, target: '/harbour', mode: 'ro' }])
      .withCommand(stays('cat /harbour/note'))
      .withWaitStrategy(Wait.forLogMessage('ahoy'))
      .start();
  },
  'exec gives output and exit code': async () => {
    await using started = await busybox().withCommand(stays()).withWaitStrategy(ready).start();
    const result = await started.exec(['sh', '-c', 'echo "$TIER $PWD"; echo oops >&2; exit 4'], {
      env: { TIER: 'web' },
      workingDir: '/tmp',
      user: '1000',
    });
    assert.deepEqual([result.stdout, result.stderr, result.exitCode], ['web /tmp\n', 'oops\n', 4]);
  },
  'start waits for a health check': async () => {
    await using _started = await busybox()
      .withCommand(['sh', '-c', 'sleep 0.3; touch /tmp/well; exec sleep 60'])
      .withHealthCheck({ test: ['CMD-SHELL', 'test -e /tmp/well'], interval: 200, retries: 50 })
      .withWaitStrategy(Wait.forHealthCheck())
      .start();
  },
  'start waits until a command in it succeeds': async () => {
    await using _started = await busybox()
      .withCommand(['sh', '-c', 'sleep 0.5; touch /tmp/up; exec sleep 60'])
      .withWaitStrategy(Wait.forSuccessfulCommand('test -e /tmp/up'))
      .start();
  },
  'files are copied in before it starts and while it runs, and out of it': async () => {
    await using started = await busybox()
      .withCopyContentToContainer([{ content: 'ahoy\n', target: '/tmp/note', mode: 0o644 }])
      .withCommand(stays('cat /tmp/note'))
      .withWaitStrategy(Wait.forLogMessage('ahoy'))
      .start();
    await started.copyContentToContainer([{ content: 'again\n', target: '/tmp/second' }]);
    assert.equal(await output(started, 'cat /tmp/second'), 'again');
    const archive = await text(await started.copyArchiveFromContainer('/tmp/note'));
    assert.ok(archive.includes('ahoy\n'));
  },
  'commit makes an image that the next container starts from': async () => {
    await using started = await busybox()
      .withCommand(stays('echo made > /tmp/made'))
      .withWaitStrategy(ready)
      .start();
    const repo = uniqueName('committed');
    const id = await started.commit({ repo, tag: 'v1', deleteOnExit: false });
    assert.match(id, /^sha256:/);
    await using _second = await new GenericContainer(`${repo}:v1`)
      .withCommand(stays('cat /tmp/made'))
      .withWaitStrategy(Wait.forLogMessage('made'))
      .start();
  },
};

describe('testcontainers', { concurrency: 4 }, () => {
  const stack = new AsyncDisposableStack();
  const started = Promise.withResolvers<Harbour>();
  before(async () => {
    const registry = stack.use(await startRegistry());
    const { layers, config } = await busyboxImage();
    await pushImage({
      registry,
      name: 'harbour/busybox',
      layers,
      config: { ...config, Labels: { of: 'tc' } },
    });
    const root = stack.use(await tempRoot('testcontainers'));
    const engine = stack.use(await startEngine());
    // Read when the first container is started. The image of ryuk, which removes what a dead test run left, is on
    // Docker Hub; it wants a published port besides.
    Object.assign(process.env, {
      DOCKER_HOST: engine.host,
      DOCKER_CONFIG: root.path,
      HOME: root.path,
      TMPDIR: root.path,
      TESTCONTAINERS_RYUK_DISABLED: 'true',
    });
    const directory = await root.directory('bound');
    started.resolve({ engine, registry: registry.host, directory });
  });
  after(() => stack.disposeAsync());
  for (const [title, check] of Object.entries(cases)) {
    test(title, { timeout: 60_000 }, async () => check(await started.promise));
  }
});
