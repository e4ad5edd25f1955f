import assert from 'node:assert/strict';
import { tarOf } from '../tar.ts';
import type { Case } from './case.ts';
import { make, ran, refusal, run, said, uniqueName } from './containers.ts';
import { assertFits, nothing } from './fits.ts';
import { ask, differs, type Loose, openRaw, type Subject, UPGRADE } from './wire.ts';

/** What dockerd says of a HostConfig where the client said nothing: the fields that no other case looks at. */
const silent = {
  BlkioWeight: 0,
  BlkioWeightDevice: nothing,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  DeviceRequests: nothing,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  ContainerIDFile: '',
  PortBindings: nothing,
  VolumeDriver: '',
  ConsoleSize: [Number],
  CapAdd: nothing,
  CgroupnsMode: /^(host|private)$/,
  Dns: nothing,
  DnsOptions: nothing,
  DnsSearch: nothing,
  ExtraHosts: nothing,
  Cgroup: '',
  PublishAllPorts: false,
  UTSMode: '',
  UsernsMode: '',
  Isolation: '',
} as const;

/** What Berth would have to ignore: refused by its name. */
const refused: readonly [body: Readonly<Record<string, unknown>>, words: RegExp][] = [
  [{ HostConfig: { IOMaximumIOps: 1 } }, /HostConfig.IOMaximumIOps is not supported/],
  [{ HostConfig: { IOMaximumBandwidth: 1 } }, /HostConfig.IOMaximumBandwidth is not supported/],
  [
    {
      HostConfig: {
        DeviceRequests: [{ Driver: 'moon', DeviceIDs: ['1'], Capabilities: [['gpu']], Options: { a: 'b' } }],
      },
    },
    /HostConfig.DeviceRequests is not supported/,
  ],
  [
    { HostConfig: { Mounts: [{ Type: 'image', Source: 'busybox', Target: '/data' }] } },
    /mounts of type image are not/,
  ],
];

/** Fields of bodies and queries that no other case sends. */
export const fieldCases: Readonly<Record<string, Case>> = {
  'inspect says of a HostConfig what the client did not': async (subject) => {
    await using made = await make(subject, ['true']);
    const { HostConfig } = await made.inspect();
    assertFits(HostConfig, silent);
  },
  'create takes names, hosts, capabilities and paths, and the container has them': async (subject) => {
    const asked = {
      ContainerIDFile: '/tmp/harbour.cid',
      ConsoleSize: [24, 80],
      CapAdd: ['NET_ADMIN'],
      Dns: ['10.0.0.9'],
      DnsOptions: ['ndots:2'],
      DnsSearch: ['example.org'],
      ExtraHosts: ['pier:10.0.0.8'],
      SecurityOpt: ['no-new-privileges'],
      UsernsMode: 'host',
      Isolation: 'default',
      MaskedPaths: ['/proc/cmdline'],
      ReadonlyPaths: ['/proc/sys'],
      Runtime: (await ask(subject, 'GET /v1.41/info')).json().DefaultRuntime as string,
    };
    const script = `cat /etc/resolv.conf; grep pier /etc/hosts; grep NoNewPrivs /proc/self/status; cat /proc/cmdline;
      grep -c ' /proc/sys .*ro,' /proc/self/mounts; ip link set lo down && echo changed`;
    await using made = await ran(subject, script, { HostConfig: asked });
    const { HostConfig } = await made.inspect();
    for (const [name, value] of Object.entries(asked)) {
      if (name === 'CapAdd') assert.match(HostConfig.CapAdd[0], /^(CAP_)?NET_ADMIN$/);
      else assert.deepEqual(HostConfig[name], value, name);
    }
    const { text } = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1&stderr=1`);
    for (const words of [
      /nameserver 10\.0\.0\.9/,
      /search example\.org/,
      /options ndots:2/,
      /10\.0\.0\.8\s+pier/,
      /NoNewPrivs:\s+1/,
      /\n[^a-z]*1\n[^]*changed/,
    ])
      assert.match(text, words);
  },
  'a privileged container may what an ordinary one may not': async (subject) => {
    // dockerd wants every capability there is, and a machine may have less.
    if (subject.name !== 'berth') return;
    const mount = 'mount -t tmpfs none /mnt 2>/dev/null && echo mounted || echo refused';
    assert.deepEqual(await said(subject, `mkdir -p /mnt; ${mount}`, { HostConfig: { Privileged: true } }), [
      'mounted',
    ]);
    assert.deepEqual(await said(subject, `mkdir -p /mnt; ${mount}`), ['refused']);
  },
  'weights and real time are taken where the kernel has them, and else left out with a warning': async (
    subject,
  ) => {
    for (const HostConfig of [
      { BlkioWeight: 300 },
      { BlkioWeightDevice: [{ Path: '/dev/null', Weight: 300 }] },
      { CpuRealtimePeriod: 1_000_000 },
      { CpuRealtimeRuntime: 1000, CpuRealtimePeriod: 1_000_000 },
    ]) {
      const created = await ask(subject, `POST /v1.41/containers/create?name=${uniqueName()}`, {
        body: { Image: 'busybox', HostConfig },
      });
      assert.equal(created.status, 201, created.text);
      const { Id, Warnings } = created.json();
      const inspected = (await ask(subject, `GET /v1.41/containers/${Id}/json`)).json().HostConfig;
      await ask(subject, `DELETE /v1.41/containers/${Id}`);
      for (const [name, value] of Object.entries(HostConfig))
        if (!Warnings.length) assert.deepEqual(inspected[name], value, name);
      for (const warning of Warnings) assert.match(warning, /does not support/);
    }
  },
  'a mount says how it propagates, and makes its source or does not': async (subject) => {
    const bind = (source: string, BindOptions: object, more: object = {}): Loose => ({
      HostConfig: {
        Mounts: [
          { Type: 'bind', Source: source, Target: '/harbour', Consistency: 'default', BindOptions, ...more },
        ],
      },
    });
    await using made = await make(subject, ['true'], bind('/tmp', { Propagation: 'rslave' }));
    const { Mounts } = await made.inspect();
    assert.deepEqual(
      [Mounts[0].Type, Mounts[0].Source, Mounts[0].Destination, Mounts[0].Propagation, Mounts[0].RW],
      ['bind', '/tmp', '/harbour', 'rslave', true],
    );
    const missing = await refusal(subject, bind(`/tmp/${uniqueName('missing')}`, {}));
    assert.equal(missing.status, 400);
    assert.match(missing.message, /bind source path does not exist/);
    if (subject.name !== 'berth') return;
    // From 1.42 and 1.44 on.
    const source = `/tmp/berth-test-${uniqueName('made')}`;
    await using _made = await make(subject, ['true'], bind(source, { CreateMountpoint: true }));
    for (const options of [{ ReadOnlyNonRecursive: true }, { ReadOnlyForceRecursive: true }])
      assert.equal((await refusal(subject, bind('/tmp', options, { ReadOnly: true }))).status, 201);
    const tmpfs = { Type: 'tmpfs', Target: '/x', TmpfsOptions: { Options: [['noexec'], ['size', '1m']] } };
    assert.match(
      (await said(subject, 'grep " /x " /proc/mounts', { HostConfig: { Mounts: [tmpfs] } }))[0] ?? '',
      /noexec.*size=1024k/,
    );
  },
  "an endpoint's hardware address may be chosen": async (subject) => {
    const MacAddress = '02:42:ac:11:00:99';
    const asked: Loose = differs(subject, {
      berth: { NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress } } } },
      dockerd: { MacAddress },
      because: 'API 1.44 moved it from the container to its endpoint; both are taken',
      of: 'POST /containers/create',
    });
    await using made = await run(subject, 'sleep 60', asked);
    assert.equal((await made.inspect()).NetworkSettings.Networks.bridge.MacAddress, MacAddress);
  },
  'what create would have to ignore is refused by name': async (subject) => {
    if (subject.name !== 'berth') return;
    for (const [body, words] of refused) {
      const { status, message } = await refusal(subject, body);
      assert.equal(status, 501, message);
      assert.match(message, words);
    }
  },
  'update refuses by name what it does not change': async (subject) => {
    if (subject.name !== 'berth') return;
    await using made = await make(subject, ['true']);
    const line = `POST /v1.41/containers/${made.id}/update`;
    const rate = [{ Path: '/dev/null', Rate: 1 }];
    const wrong: Readonly<Record<string, unknown>> = {
      CgroupParent: '/harbour',
      BlkioWeightDevice: [{ Path: '/dev/null', Weight: 300 }],
      BlkioDeviceReadBps: rate,
      BlkioDeviceWriteBps: rate,
      BlkioDeviceReadIOps: rate,
      BlkioDeviceWriteIOps: rate,
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' }],
      DeviceCgroupRules: ['c 1:1 r'],
      DeviceRequests: [
        { Driver: 'x', Count: 1, DeviceIDs: ['1'], Capabilities: [['gpu']], Options: { a: 'b' } },
      ],
      KernelMemoryTCP: 64 * 2 ** 20,
      MemorySwappiness: 10,
      OomKillDisable: true,
      Init: true,
      CpuCount: 1,
      CpuPercent: 1,
      IOMaximumIOps: 1,
      IOMaximumBandwidth: 1,
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }],
    };
    for (const [name, value] of Object.entries(wrong)) {
      const { status, json } = await ask(subject, line, { body: { [name]: value } });
      assert.equal(status, 501, name);
      assert.match(json().message, new RegExp(`^${name} is not supported`));
    }
  },
  'update takes processors, memory nodes and weights': async (subject) => {
    await using made = await make(subject, ['true']);
    const line = `POST /v1.41/containers/${made.id}/update`;
    const asked = { CpuPeriod: 50_000, CpuQuota: 25_000, CpusetCpus: '0', CpusetMems: '0' };
    const { status, json } = await ask(subject, line, { body: asked });
    assert.equal(status, 200);
    assert.ok(nothing(json().Warnings));
    const { HostConfig } = await made.inspect();
    for (const [name, value] of Object.entries(asked)) assert.deepEqual(HostConfig[name], value, name);
    for (const body of [
      { BlkioWeight: 300 },
      { CpuRealtimePeriod: 1_000_000 },
      { CpuRealtimeRuntime: 1000, CpuRealtimePeriod: 1_000_000 },
    ])
      assert.equal((await ask(subject, line, { body })).status, 200, JSON.stringify(body));
  },
  'stop and restart send the signal that they are given': async (subject) => {
    const script = 'trap "exit 3" USR1; trap "exit 4" TERM; echo up; while :; do sleep 0.1; done';
    for (const verb of ['stop', 'restart']) {
      await using made = await run(subject, script);
      while (!(await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1`)).text.includes('up'));
      const { status } = await ask(subject, `POST /v1.41/containers/${made.id}/${verb}?signal=USR1&t=10`);
      assert.equal(status, 204);
      // From the event: dockerd's wait may tell the code of the run that a restart began meanwhile.
      assert.equal(
        await codeOfFirstEnd(subject, made.id),
        differs(subject, {
          berth: 3,
          dockerd: 4,
          because: 'API 1.42 brought the signal of a stop; dockerd 20.10 sends its own',
          of: `POST /containers/{id}/${verb}`,
        }),
      );
    }
  },
  'a link is not removed where there is none': async (subject) => {
    await using made = await make(subject, ['true']);
    const { status } = await ask(subject, `DELETE /v1.41/containers/${made.name}?link=1`);
    const expected = {
      berth: 409,
      dockerd: 500,
      because: 'dockerd calls a link that is not there its own error',
    };
    assert.equal(status, differs(subject, expected));
    assert.equal((await made.inspect()).Name, `/${made.name}`);
  },
  'an archive may be kept from replacing a directory by a file': async (subject) => {
    await using made = await make(subject, ['true']);
    const put = async (query: string) =>
      await ask(subject, `PUT /v1.41/containers/${made.id}/archive?path=/&${query}`, {
        body: tarOf([{ name: 'tmp', content: 'a file' }]),
        headers: { 'content-type': 'application/x-tar' },
      });
    const { status } = await put('noOverwriteDirNonDir=true');
    assert.equal(
      status,
      differs(subject, { berth: 400, dockerd: 500, because: 'dockerd calls it its own error' }),
    );
    assert.equal((await put('noOverwriteDirNonDir=false')).status, 200);
  },
  'exec may be privileged, and have its own size of terminal': async (subject) => {
    // See above; and the size came with API 1.42.
    if (subject.name !== 'berth') return;
    await using made = await run(subject, 'sleep 60');
    const execute = async (body: Loose, start: Loose = {}) => {
      const path = `/v1.41/containers/${made.id}/exec`;
      const created = await ask(subject, `POST ${path}`, {
        body: { AttachStdout: true, AttachStderr: true, ...body },
      });
      const stream = await openRaw(subject, `POST /v1.41/exec/${created.json().Id}/start`, {
        headers: UPGRADE,
        body: JSON.stringify({ Tty: body.Tty === true, ...start }),
      });
      return (await stream.rest()).toString('latin1');
    };
    const caps = ['sh', '-c', 'grep CapEff /proc/self/status'];
    const [plain, privileged] = [
      await execute({ Cmd: caps }),
      await execute({ Cmd: caps, Privileged: true }),
    ];
    const bits = (text: string) => BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(text)?.[1]}`);
    assert.ok(bits(privileged) > bits(plain), `${plain} ${privileged}`);
    const size = await execute(
      // The runtime sets the size beside the start of the program, and not before.
      { Cmd: ['sh', '-c', 'until stty size | grep 67; do :; done'], Tty: true, ConsoleSize: [23, 67] },
      { ConsoleSize: [23, 67] },
    );
    assert.match(size, /23 67/);
  },
  "commit takes an image's configuration in its body": async (subject) => {
    await using made = await make(subject, ['true']);
    const config = {
      Hostname: 'pier',
      Domainname: 'example.org',
      User: '7',
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      ExposedPorts: { '80/tcp': {} },
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      Env: ['TIER=web'],
      Cmd: ['echo', 'ahoy'],
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 2e9, Retries: 3, StartPeriod: 4e9 },
      ArgsEscaped: true,
      Image: 'busybox',
      Volumes: { '/data': {} },
      WorkingDir: '/tmp',
      Entrypoint: ['sh', '-c'],
      OnBuild: ['RUN true'],
      Labels: { team: 'harbour' },
      StopSignal: 'SIGINT',
      StopTimeout: 3,
      Shell: ['/bin/sh', '-c'],
    };
    const body = { ...config, NetworkDisabled: false, MacAddress: '' };
    const Healthcheck = { ...config.Healthcheck, StartInterval: 5e8 };
    const repo = uniqueName('committed');
    const line = `POST /v1.41/commit?container=${made.id}&repo=${repo}`;
    const committed = await ask(subject, line, { body: { ...body, Healthcheck } });
    assert.equal(committed.status, 201, committed.text);
    const { Config } = (await ask(subject, `GET /v1.41/images/${repo}/json`)).json();
    await ask(subject, `DELETE /v1.41/images/${repo}`);
    for (const name of [
      'User',
      'Cmd',
      'Entrypoint',
      'WorkingDir',
      'ExposedPorts',
      'Volumes',
      'Shell',
    ] as const)
      assert.deepEqual(Config[name], config[name], name);
    for (const name of ['OnBuild', 'StopSignal', 'Labels'] as const)
      assert.deepEqual(Config[name], config[name], name);
    assert.ok(Config.Env.includes('TIER=web'));
    assertFits(Config.Healthcheck, { ...config.Healthcheck, Test: [String] });
    if (subject.name === 'berth') assert.equal(Config.Healthcheck.StartInterval, 5e8);
  },
};

/** The code of the first run's end, as its event tells it. */
async function codeOfFirstEnd(subject: Subject, id: string): Promise<number> {
  const only = encodeURIComponent(JSON.stringify({ container: [id], event: ['die'] }));
  const until = (Date.now() / 1000).toFixed(3);
  const { lines } = await ask(subject, `GET /v1.41/events?since=0&until=${until}&filters=${only}`);
  return Number(lines()[0]?.Actor.Attributes.exitCode);
}
