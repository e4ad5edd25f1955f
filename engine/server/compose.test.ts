import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import test, { after, before, describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { type Compose, composeMissing, openCompose } from '../../workshop/testing/compose.ts';

/**
 * docker-compose 1.29 on this engine, with an application of three: Postgres on a volume, a program in Python that
 * keeps its lines there, nginx in front of it. One life of it, a test for each thing that is done to it.
 */

type Answer = { readonly host: string; readonly greeting: string; readonly lines: number };

const LINES =
  'PGPASSWORD=$POSTGRES_PASSWORD /usr/lib/postgresql/*/bin/psql -h store -U postgres -Atc "TABLE lines"';

describe('docker-compose', { skip: composeMissing }, () => {
  const opened = Promise.withResolvers<Compose>();
  before(() => openCompose().then(opened.resolve, opened.reject));
  after(async () => (await opened.promise)[Symbol.asyncDispose]());

  const compose: Compose['compose'] = async (...args) => (await opened.promise).compose(...args);
  const said: Compose['said'] = async (...args) => (await opened.promise).said(...args);
  const client = async () => (await opened.promise).engine.client;

  /** The containers of a service, by name, with their ids. */
  async function containersOf(service: string): Promise<Readonly<Record<string, string>>> {
    const filter = { label: [`com.docker.compose.service=${service}`] };
    const found = await (await client()).call('containerList', { all: true, filter });
    return Object.fromEntries(found.map(({ Names, Id }) => [Names[0]?.slice(1), Id]));
  }

  /** Asks the application through its proxy until it answers as wanted: a program that was started has yet to listen. */
  async function answered(wanted: (answer: Answer) => boolean = () => true, line?: string): Promise<Answer> {
    const { NetworkSettings } = await (await client()).call('containerInspect', { id: 'logbook_proxy_1' });
    const [published] = NetworkSettings.Ports?.['80/tcp'] ?? [];
    for (;;) {
      const asked = line === undefined ? {} : { method: 'POST', body: line };
      const response = await fetch(`http://127.0.0.1:${published?.HostPort}/`, asked).catch(() => undefined);
      const answer = response?.ok === true ? ((await response.json()) as Answer) : undefined;
      if (answer !== undefined && wanted(answer)) return answer;
      await response?.body?.cancel().catch(() => undefined);
      await pause(50);
    }
  }

  async function edit(before: string, after: string): Promise<void> {
    const { project } = await opened.promise;
    const path = project.join('docker-compose.yml');
    const text = await readFile(path, 'utf8');
    assert.ok(text.includes(before));
    await writeFile(path, text.replace(before, after));
  }

  /** A project beside it, of these services, that is taken down at the end. */
  async function another(name: string, services: object, more: object = {}) {
    const { project, environment } = await opened.promise;
    const file = `${name}.yml`;
    const env = { ...environment, COMPOSE_PROJECT_NAME: name, COMPOSE_FILE: file };
    const compose = (...args: readonly string[]) =>
      execa('docker-compose', args, { env, cwd: project.path, reject: false, timeout: 300_000 });
    const change = (to: object) => writeFile(project.join(file), JSON.stringify({ services: to, ...more }));
    await change(services);
    return {
      compose,
      said: async (...args: readonly string[]) => {
        const { exitCode, stdout, stderr } = await compose(...args);
        assert.equal(exitCode, 0, `docker-compose ${args.join(' ')}: ${stderr}`);
        return stdout;
      },
      change,
      [Symbol.asyncDispose]: async () => {
        assert.equal((await compose('down', '-v')).exitCode, 0);
        // One that was handed on to another container was given to it by its name, and stays, as on dockerd.
        await (await client()).call('volumePrune', {});
      },
    };
  }

  test('up pulls, makes networks and a volume, and starts each after what it depends on', async () => {
    await said('up', '-d');
    const engine = await client();
    const inspect = (service: string) => engine.call('containerInspect', { id: `logbook_${service}_1` });
    const [database, app, proxy] = await Promise.all(['database', 'app', 'proxy'].map(inspect));
    assert.equal(database?.State.Health?.Status, 'healthy');
    const healthy = database?.State.Health?.Log?.find(({ ExitCode }) => ExitCode === 0)?.End ?? '';
    const order = [healthy, app?.State.StartedAt, proxy?.State.StartedAt].map((moment) =>
      Date.parse(moment ?? ''),
    );
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      order,
    );
    assert.deepEqual(Object.keys(app?.NetworkSettings.Networks ?? {}).toSorted(), [
      'logbook_back',
      'logbook_front',
    ]);
    const back = await engine.call('networkInspect', { id: 'logbook_back' });
    assert.equal(back.Internal, true);
    assert.equal(back.Labels?.['com.docker.compose.network'], 'back');
    const volume = await engine.call('volumeInspect', { name: 'logbook_data' });
    assert.equal(volume.Labels?.['com.docker.compose.volume'], 'data');
    const first = await answered();
    assert.deepEqual([first.greeting, first.lines], ['ahoy', 0]);
    assert.equal((await answered(undefined, 'one')).lines, 1);
  });

  test('up again changes nothing', async () => {
    const before = [await containersOf('database'), await containersOf('app'), await containersOf('proxy')];
    const words = await said('up', '-d');
    for (const service of ['database', 'app', 'proxy'])
      assert.match(words, new RegExp(`logbook_${service}_1 is up-to-date`));
    const now = [await containersOf('database'), await containersOf('app'), await containersOf('proxy')];
    assert.deepEqual(now, before);
  });

  test('the engine is killed and started anew: all goes on, and up changes nothing', async () => {
    const { engine } = await opened.promise;
    const before = await containersOf('app');
    await engine.kill();
    await engine.start();
    assert.equal((await answered()).lines, 1);
    assert.match(await said('up', '-d'), /logbook_app_1 is up-to-date/);
    assert.deepEqual(await containersOf('app'), before);
  });

  test('ps, top, images and logs show what there is', async () => {
    const list = await said('ps');
    assert.match(list, /logbook_database_1 +database\.sh +Up \(healthy\) +5432\/tcp/);
    assert.match(list, /logbook_proxy_1 +nginx +Up +127\.0\.0\.1:\d+->80\/tcp/);
    assert.match(await said('port', 'proxy', '80'), /^127\.0\.0\.1:\d+$/m);
    assert.equal((await said('ps', '--services', '--filter', 'status=running')).trim().split('\n').length, 3);
    assert.match(await said('top', 'proxy'), /nginx: worker process/);
    assert.match(await said('images'), /logbook_app_1 +\S+\/logbook\/app +latest +[0-9a-f]{12} +[\d.]+ MB/);
    assert.match(
      await said('logs', '--no-color', 'app'),
      /app_1 +\| the log-book is open\napp_1 +\| wrote one/,
    );
    const last = await said('logs', '--no-color', '--timestamps', '--tail', '1', 'app', 'proxy');
    assert.match(last, /app_1 +\| \d{4}-\S+Z wrote one/);
    assert.match(last, /proxy_1 +\| \d{4}-\S+Z .*"(GET|POST) \/ HTTP\/1\.1" 200/);
  });

  test('exec runs programs, over the docker CLI and without it', async () => {
    assert.equal((await said('exec', '-T', 'database', 'sh', '-c', LINES)).trim(), 'one');
    const fed = await compose(
      ['exec', '-T', '-e', 'TIER=web', 'app', 'sh', '-c', 'cat; echo $TIER; exit 3'],
      'fed\n',
    );
    assert.deepEqual([fed.stdout, fed.exitCode], ['fed\nweb', 3]);
    const { environment, project } = await opened.promise;
    const env = { ...environment, COMPOSE_INTERACTIVE_NO_CLI: '1' };
    const where = { env, cwd: project.path, reject: false } as const;
    const own = await execa('docker-compose', ['exec', '-T', 'app', 'sh', '-c', 'echo own; exit 4'], where);
    assert.deepEqual([own.stdout, own.exitCode], ['own', 4]);
  });

  test('scaled to three, the proxy reaches all, and to one again the one that stays', async () => {
    const before = await containersOf('app');
    await said('up', '-d', '--scale', 'app=3');
    const three = await containersOf('app');
    assert.deepEqual(Object.keys(three).toSorted(), ['logbook_app_1', 'logbook_app_2', 'logbook_app_3']);
    assert.equal(three.logbook_app_1, before.logbook_app_1);
    const hosts = new Set<string>();
    await answered(({ host, lines }) => {
      assert.equal(lines, 1);
      return hosts.add(host).size === 3;
    });
    assert.deepEqual(
      [...hosts].toSorted(),
      Object.values(three)
        .map((id) => id.slice(0, 12))
        .toSorted(),
    );
    await said('up', '-d', '--scale', 'app=1');
    assert.deepEqual(await containersOf('app'), before);
    // The proxy may ask for the others for as long as it holds their names; then there is one.
    const only = before.logbook_app_1?.slice(0, 12);
    await answered(({ host }) => host === only);
  });

  test('stop, start, restart, pause and kill leave containers and data', async () => {
    const before = await containersOf('app');
    await said('stop');
    assert.equal((await said('ps')).match(/Exit 0/g)?.length, 3);
    await said('start');
    assert.equal((await answered()).lines, 1);
    await said('restart');
    assert.equal((await answered()).lines, 1);
    await said('pause', 'app');
    assert.match(await said('ps'), /logbook_app_1 .* Paused/);
    await said('unpause', 'app');
    assert.equal((await answered()).lines, 1);
    await said('kill', '-s', 'KILL', 'app');
    assert.match(await said('ps'), /logbook_app_1 .* Exit 137/);
    await said('start', 'app');
    assert.equal((await answered(undefined, 'two')).lines, 2);
    assert.deepEqual(await containersOf('app'), before);
  });

  test('up after a change recreates what was changed alone, and its volume stays', async () => {
    const before = [await containersOf('database'), await containersOf('app'), await containersOf('proxy')];
    await edit('GREETING:-ahoy', 'GREETING:-hello');
    await said('up', '-d');
    const changed = await answered(({ greeting }) => greeting === 'hello');
    assert.equal(changed.lines, 2);
    const [database, app, proxy] = before;
    assert.deepEqual([await containersOf('database'), await containersOf('proxy')], [database, proxy]);
    assert.deepEqual(Object.keys(await containersOf('app')), ['logbook_app_1']);
    assert.notDeepEqual(await containersOf('app'), app);
    await edit('  database:\n', '  database:\n    labels: [changed]\n');
    await said('up', '-d', '--no-deps', 'database');
    assert.notDeepEqual(await containersOf('database'), database);
    assert.equal((await answered()).lines, 2);
  });

  test('run starts one of a service beside it, and gives its output and exit code', async () => {
    const script = 'import os, psycopg2; psycopg2.connect(os.environ["DATABASE"]); print("reached"); exit(5)';
    const { stdout, exitCode, stderr } = await compose(['run', '--rm', '-T', 'app', 'python3', '-c', script]);
    assert.deepEqual([stdout, exitCode], ['reached', 5], stderr);
    assert.deepEqual(Object.keys(await containersOf('app')), ['logbook_app_1']);
  });

  test('a volume without a name follows its container when that is recreated', async () => {
    const image = `${(await opened.promise).environment.REGISTRY}/logbook/app`;
    const keeper = { image, command: 'sleep 600', init: true, volumes: ['/var/notes'] };
    await using project = await another('notes', { keeper });
    await project.said('up', '-d');
    await project.said('exec', '-T', 'keeper', 'sh', '-c', 'echo kept >/var/notes/note');
    const before = await containersOf('keeper');
    await project.change({ keeper: { ...keeper, environment: { CHANGED: 'yes' } } });
    await project.said('up', '-d');
    assert.notDeepEqual(await containersOf('keeper'), before);
    assert.equal(await project.said('exec', '-T', 'keeper', 'cat', '/var/notes/note'), 'kept');
  });

  test('what a compose file can say of a service holds inside it', async () => {
    const image = `${(await opened.promise).environment.REGISTRY}/logbook/app`;
    const asleep = { image, command: 'sleep 600', init: true };
    const services = {
      limited: {
        ...asleep,
        ...{
          hostname: 'pier',
          user: '1000:1000',
          working_dir: '/tmp',
          environment: { TIER: 'web' },
          read_only: true,
        },
        ...{ dns_search: ['harbour.example'], dns_opt: ['ndots:2'], extra_hosts: ['quay:10.1.2.3'] },
        ...{ tmpfs: ['/scratch:size=1m'], ulimits: { nofile: { soft: 200, hard: 300 } }, pids_limit: 50 },
        ...{
          sysctls: { 'net.core.somaxconn': 512 },
          mem_limit: '64m',
          security_opt: ['no-new-privileges:true'],
        },
        healthcheck: { test: ['CMD', 'true'], interval: '200ms' },
      },
      mounted: {
        ...asleep,
        volumes: [
          ...['named:/named', '/anonymous', './nginx.conf:/file:ro'],
          { type: 'bind', source: '.', target: '/bound', read_only: true, bind: { propagation: 'rprivate' } },
          { type: 'tmpfs', target: '/memory', tmpfs: { size: 2 ** 20 } },
        ],
        secrets: ['hush', { source: 'hush', target: 'other' }],
      },
      heir: {
        ...asleep,
        ...{ volumes_from: ['mounted:ro'], links: ['limited:cousin'] },
        networks: { default: { aliases: ['heir.example'] }, second: {} },
      },
      child: { ...asleep, network_mode: 'service:heir' },
      once: { image, command: 'true' },
      last: {
        ...{ ...asleep, network_mode: 'none' },
        depends_on: {
          limited: { condition: 'service_healthy' },
          once: { condition: 'service_completed_successfully' },
        },
      },
    };
    const networks = { second: { driver: 'bridge', labels: { of: 'ours' } } };
    const volumes = { named: { driver_opts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } } };
    const secrets = { hush: { file: './nginx.conf' } };
    await using project = await another('wide', services, { networks, volumes, secrets });
    await project.said('up', '-d');
    const inside = async (service: string, script: string) =>
      (await project.said('exec', '-T', service, 'sh', '-c', script)).split('\n');
    assert.deepEqual(
      await inside(
        'limited',
        `id -u; pwd; hostname; echo $TIER; touch /x 2>&1 | sed 's/.*: //'; ulimit -n; cat /proc/sys/net/core/somaxconn
         grep -E 'search|options' /etc/resolv.conf | sort; getent hosts quay heir.example | awk '{ print $2 }'
         grep NoNewPrivs /proc/self/status; grep -c ' /scratch tmpfs .*size=1024k' /proc/mounts`,
      ),
      [
        ...['1000', '/tmp', 'pier', 'web', 'Read-only file system', '200', '512'],
        ...['options ndots:2', 'search harbour.example', 'quay', 'heir.example', 'NoNewPrivs:\t1', '1'],
      ],
    );
    const { HostConfig } = await (await client()).call('containerInspect', { id: 'wide_limited_1' });
    assert.deepEqual([HostConfig.Memory, HostConfig.PidsLimit], [64 * 2 ** 20, 50]);
    assert.deepEqual(
      await inside(
        'mounted',
        `touch /named/kept; for p in /file /bound/nginx.conf /run/secrets/hush /run/secrets/other; do
           head -n 1 $p; touch $p 2>&1 | sed 's/.*: //'; done
         grep -cE ' /(named|memory) tmpfs .*size=1024k' /proc/mounts`,
      ),
      [...Array(4).fill(['daemon off;', 'Read-only file system']).flat(), '2'],
    );
    assert.deepEqual(
      await inside(
        'heir',
        "ls /named; touch /named/kept 2>&1 | sed 's/.*: //'; getent hosts cousin | wc -l; hostname -I | wc -w",
      ),
      ['kept', 'Read-only file system', '1', '2'],
    );
    assert.deepEqual(await inside('child', 'hostname -I'), await inside('heir', 'hostname -I'));
    assert.deepEqual(await inside('last', 'hostname -I | tr -d " "'), ['']);
  });

  test('up in the foreground shows what is written, and ends with the container that ends', async () => {
    const image = `${(await opened.promise).environment.REGISTRY}/logbook/app`;
    await using project = await another('job', {
      mate: { image, command: 'sleep 600', init: true },
      job: { image, command: "sh -c 'echo done; exit 6'", depends_on: ['mate'] },
    });
    const { stdout, exitCode } = await project.compose('up', '--no-color', '--exit-code-from', 'job');
    assert.match(stdout, /^job_1 +\| done$/m);
    assert.match(stdout, /^job_job_1 exited with code 6$/m);
    assert.equal(exitCode, 6);
  });

  test('events tell what happens to the containers', async () => {
    const { project, environment } = await opened.promise;
    const where = { env: environment, cwd: project.path, reject: false } as const;
    const events = execa('docker-compose', ['events', '--json'], { ...where, buffer: false });
    const seen: string[] = [];
    // Nothing says that it listens: things are done until it has seen both.
    const told = (async () => {
      for await (const line of createInterface({ input: events.stdout })) {
        const { service, action, attributes } = JSON.parse(line);
        // Of the database there are its health checks.
        if (service !== 'app') continue;
        seen.push(`${action} ${attributes.name}`);
        if (seen.at(-2)?.startsWith('pause') === true && action === 'unpause') return;
      }
    })();
    let done = false;
    void told.then(() => {
      done = true;
    });
    while (!done) {
      await said('pause', 'app');
      await said('unpause', 'app');
    }
    events.kill('SIGINT');
    await events;
    assert.deepEqual(seen.slice(-2), ['pause logbook_app_1', 'unpause logbook_app_1']);
  });

  test('down leaves the volume alone, and the next up finds it', async () => {
    await said('down');
    const engine = await client();
    assert.deepEqual(await engine.call('containerList', { all: true }), []);
    assert.deepEqual(
      (await engine.call('volumeList', {})).Volumes?.map(({ Name }) => Name),
      ['logbook_data'],
    );
    await said('up', '-d');
    assert.equal((await answered()).lines, 2);
  });

  test('down -v leaves nothing but the images, and with --rmi not these', async () => {
    await said('down', '-v', '--rmi', 'all');
    const engine = await client();
    assert.deepEqual(await engine.call('containerList', { all: true }), []);
    assert.deepEqual((await engine.call('networkList', {})).map(({ Name }) => Name).toSorted(), [
      'bridge',
      'host',
      'none',
    ]);
    assert.deepEqual((await engine.call('volumeList', {})).Volumes ?? [], []);
    assert.deepEqual(await engine.call('imageList', {}), []);
  });
});
