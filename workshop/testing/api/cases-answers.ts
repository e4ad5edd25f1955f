import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, NETWORKED, run, uniqueName } from './containers.ts';
import { above, assertFits, nothing, orNull, type Shape } from './fits.ts';
import { ask, differs, type Loose } from './wire.ts';

const ID = /^[0-9a-f]{64}$/;
const IMAGE_ID = /^sha256:[0-9a-f]{64}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const NEVER = '0001-01-01T00:00:00Z';
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
const FILE = /^\/.+/;
const filters = (value: object) => encodeURIComponent(JSON.stringify(value));

/** Addresses of a container on the default bridge, which has no IPv6. */
const addresses = {
  EndpointID: ID,
  Gateway: ADDRESS,
  IPAddress: ADDRESS,
  IPPrefixLen: (length: Loose) => length >= 8 && length <= 30,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  MacAddress: MAC,
};
const endpoint = {
  ...addresses,
  NetworkID: ID,
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  DriverOpts: null,
};

/** What a container's configuration says where nothing was asked for. */
const plainConfig = {
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
};

/** Answers field by field: what clients find in them. */
export const answerCases: Readonly<Record<string, Case>> = {
  'inspect of a running container has every field': async (subject) => {
    await using made = await run(subject, 'sleep 60', NETWORKED);
    const container = await made.inspect();
    assertFits(container, {
      Id: made.id,
      Created: MOMENT,
      Path: 'sh',
      Args: [String],
      Image: IMAGE_ID,
      ResolvConfPath: FILE,
      HostnamePath: FILE,
      HostsPath: FILE,
      LogPath: FILE,
      Name: `/${made.name}`,
      RestartCount: 0,
      Driver: /^overlay/,
      Platform: 'linux',
      MountLabel: '',
      ProcessLabel: '',
      AppArmorProfile: String,
      ExecIDs: null,
      GraphDriver: { Name: /^overlay/, Data: { MergedDir: FILE, UpperDir: FILE, WorkDir: FILE } },
      Mounts: nothing,
      HostConfig: { Runtime: /^(crun|runc)$/ },
      State: {
        Status: 'running',
        Running: true,
        Paused: false,
        Restarting: false,
        OOMKilled: false,
        Dead: false,
        Pid: above(1),
        ExitCode: 0,
        Error: '',
        StartedAt: MOMENT,
        FinishedAt: NEVER,
      },
      Config: {
        ...plainConfig,
        Hostname: made.id.slice(0, 12),
        Image: 'busybox',
        Cmd: [String],
        Env: [/^PATH=/],
        Labels: {},
      },
      NetworkSettings: {
        ...addresses,
        Bridge: '',
        SandboxID: ID,
        HairpinMode: false,
        LinkLocalIPv6Address: '',
        LinkLocalIPv6PrefixLen: 0,
        Ports: nothing,
        SandboxKey: FILE,
        SecondaryIPAddresses: null,
        SecondaryIPv6Addresses: null,
        Networks: { bridge: endpoint },
      },
    });
    if (subject.name === 'berth')
      assertFits(container.NetworkSettings.Networks.bridge.DNSNames, orNull([String]));
  },
  'a row of the list has the endpoints of its networks': async (subject) => {
    await using made = await run(subject, 'sleep 60', NETWORKED);
    const list = `GET /v1.41/containers/json?filters=${filters({ id: [made.id] })}`;
    const [row] = (await ask(subject, list)).json();
    assertFits(row.NetworkSettings.Networks.bridge, endpoint);
    if (subject.name === 'berth') assertFits(row.NetworkSettings.Networks.bridge.DNSNames, orNull([String]));
  },
  'create takes what says nothing on Linux, and gives it back': async (subject) => {
    const given = {
      Domainname: 'example.org',
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      StdinOnce: true,
      OpenStdin: true,
      NetworkDisabled: false,
      OnBuild: ['RUN true'],
      Shell: ['/bin/sh', '-c'],
      StopTimeout: 3,
    };
    await using made = await make(subject, ['true'], {
      ...given,
      ExposedPorts: { '80/tcp': {} },
      ArgsEscaped: false,
      MacAddress: '',
      Volumes: {},
      NetworkingConfig: { EndpointsConfig: {} },
    });
    const { Config } = await made.inspect();
    for (const [name, value] of Object.entries(given))
      if (value !== false) assert.deepEqual(Config[name], value, name);
    assert.deepEqual(Config.ExposedPorts, { '80/tcp': {} });
  },
  'create for another platform is refused, and for this one it is not': async (subject) => {
    const version = differs(subject, { berth: 'v1.47', dockerd: 'v1.41', because: 'each its own newest' });
    const os = async (platform: string) =>
      await ask(subject, `POST /${version}/containers/create?name=${uniqueName()}&platform=${platform}`, {
        body: { Image: 'busybox' },
      });
    const image = (await ask(subject, 'GET /v1.41/images/busybox/json')).json();
    const same = await os(`linux/${image.Architecture}`);
    assert.equal(same.status, 201, same.text);
    assert.deepEqual(same.json().Warnings, []);
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${same.json().Id}`)).status, 204);
    // In another spelling, and for an earlier processor than one that there is: dockerd is as strict.
    const machine = image.Architecture === 'amd64' ? 'x86_64' : image.Architecture;
    const spelled = await os(`Linux/${machine}`);
    assert.equal(spelled.status, 201, spelled.text);
    await ask(subject, `DELETE /v1.41/containers/${spelled.json().Id}`);
    const inJson = encodeURIComponent('{"os":"linux","architecture":"s390x"}');
    // dockerd 20.10 knows no JSON there.
    const json = subject.name === 'berth' ? [inJson] : [];
    for (const platform of ['linux/s390x', 'linux/arm/v5', 'windows', ...json]) {
      const other = await os(platform);
      assert.equal(other.status, 404, other.text);
      assert.match(other.json().message, new RegExp(`linux/${image.Architecture}`));
    }
  },
  'inspect of an image has every field': async (subject) => {
    const image = (await ask(subject, 'GET /v1.41/images/busybox/json')).json();
    const shape: Shape = {
      Id: IMAGE_ID,
      RepoTags: [String],
      RepoDigests: [/@sha256:/],
      Parent: '',
      Comment: '',
      Created: MOMENT,
      DockerVersion: '',
      Author: '',
      Architecture: String,
      Os: 'linux',
      Size: Number,
      GraphDriver: { Name: /^overlay/, Data: orNull({}) },
      RootFS: { Type: 'layers', Layers: [IMAGE_ID] },
      Metadata: { LastTagTime: MOMENT },
      Config: { ...plainConfig, Hostname: '', Image: '', Cmd: ['sh'], Env: [/^PATH=/], Labels: null },
    };
    if (subject.name === 'berth') assert.equal(image.Config.ExposedPorts, null);
    assertFits(image, shape);
  },
  'a row of the list of images has every field': async (subject, { registry }) => {
    const name = `${registry}/harbour/listed`;
    await ask(subject, `POST /v1.41/images/create?fromImage=${name}&tag=latest`);
    const list = `GET /v1.41/images/json?all=1&filters=${filters({ reference: [name] })}`;
    const [row] = (await ask(subject, list)).json();
    assertFits(row, {
      Id: IMAGE_ID,
      ParentId: '',
      RepoTags: [`${name}:latest`],
      RepoDigests: [/@sha256:[0-9a-f]{64}$/],
      Created: Number,
      Size: above(100_000),
      SharedSize: -1,
      Labels: { name: 'harbour/listed' },
      Containers: -1,
    });
  },
  'images are filtered by what came before and after, by labels, and by whether they have a name': async (
    subject,
    { registry },
  ) => {
    const name = `${registry}/harbour/listed`;
    await ask(subject, `POST /v1.41/images/create?fromImage=${name}&tag=latest&platform=linux`);
    const names = async (filter: object) => {
      const found = await ask(subject, `GET /v1.41/images/json?filters=${filters(filter)}`);
      assert.equal(found.status, 200, found.text);
      return found.json().flatMap(({ RepoTags }: Loose) => RepoTags ?? []) as string[];
    };
    assert.ok((await names({ label: ['name=harbour/listed'] })).includes(`${name}:latest`));
    assert.ok(!(await names({ label: ['name=other'] })).includes(`${name}:latest`));
    assert.ok(!(await names({ before: ['busybox'] })).includes('busybox:latest'));
    assert.ok(!(await names({ since: ['busybox'] })).includes('busybox:latest'));
    assert.ok((await names({ dangling: ['false'] })).includes('busybox:latest'));
    assert.ok(!(await names({ dangling: { true: true } })).includes('busybox:latest'));
    const until = await ask(subject, `GET /v1.41/images/json?filters=${filters({ until: ['1'] })}`);
    assert.equal(
      until.status,
      differs(subject, { berth: 200, dockerd: 400, because: 'the filter came after dockerd 20.10' }),
    );
    if (until.status === 200) assert.deepEqual(until.json(), []);
  },
  'removing an image says what was untagged and deleted': async (subject, { registry }) => {
    const name = `${registry}/harbour/removed`;
    const pulled = await ask(subject, `POST /v1.41/images/create?fromImage=${name}&tag=latest`);
    assert.equal(pulled.status, 200, pulled.text);
    const { Id } = (await ask(subject, `GET /v1.41/images/${name}/json`)).json();
    const removed = (await ask(subject, `DELETE /v1.41/images/${name}?noprune=0`)).json();
    assert.ok(removed.some(({ Untagged }: Loose) => Untagged === `${name}:latest`));
    assert.ok(removed.some(({ Deleted }: Loose) => Deleted === Id));
  },
  'events are filtered by every kind of thing': async (subject) => {
    const since = (Date.now() / 1000).toFixed(3);
    await using made = await run(subject, 'true', { Labels: { team: 'harbour' } });
    await made.ended();
    const found = async (filter: object) => {
      const until = (Date.now() / 1000 + 0.05).toFixed(3);
      const line = `GET /v1.41/events?since=${since}&until=${until}&filters=${filters(filter)}`;
      const { status, text, lines } = await ask(subject, line);
      assert.equal(status, 200, text);
      return lines().filter(({ id }) => id === made.id).length;
    };
    for (const filter of [{ scope: ['local'] }, { label: ['team=harbour'] }, { image: ['busybox'] }])
      assert.ok((await found(filter)) > 0, JSON.stringify(filter));
    for (const kind of ['daemon', 'network', 'volume', 'plugin', 'service', 'node', 'secret', 'config'])
      assert.equal(await found({ [kind]: ['nobody'], type: [kind] }), 0, kind);
  },
  'a row of the list, and of system df, has ports and mounts': async (subject) => {
    const asked = { ExposedPorts: { '80/tcp': {} }, HostConfig: { Binds: ['/usr:/harbour:ro'] } };
    await using made = await run(subject, 'sleep 60', asked);
    const list = `GET /v1.41/containers/json?filters=${filters({ id: [made.id] })}`;
    const [row] = (await ask(subject, list)).json();
    assert.deepEqual(row.Ports, [{ PrivatePort: 80, Type: 'tcp' }]);
    const mount = { Type: 'bind', Source: '/usr', Destination: '/harbour', Mode: 'ro', RW: false };
    assertFits(row.Mounts[0], { ...mount, Propagation: 'rprivate' });
    const usage = (await ask(subject, 'GET /v1.41/system/df')).json();
    const counted = usage.Containers.find(({ Id }: Loose) => Id === made.id);
    for (const [name, value] of Object.entries(row))
      if (name === 'Status') assert.match(counted.Status, /^Up /);
      else assert.deepEqual(counted[name], value, name);
  },
  'an image is the same in the list and in system df': async (subject) => {
    const list = `GET /v1.41/images/json?filters=${filters({ reference: ['busybox'] })}`;
    const [row] = (await ask(subject, list)).json();
    const usage = (await ask(subject, 'GET /v1.41/system/df')).json();
    const counted = usage.Images.find(({ Id }: Loose) => Id === row.Id);
    // What is counted here alone; with us the blobs that are kept too (docs/decisions/0010).
    const alone = ['SharedSize', 'Containers', ...(subject.name === 'berth' ? ['Size'] : [])];
    for (const [name, value] of Object.entries(row))
      if (!alone.includes(name)) assert.deepEqual(counted[name], value, name);
    assert.ok(counted.Size >= row.Size);
  },
  'inspect tells the health check, the mounts and the missing network that were asked for': async (
    subject,
  ) => {
    const Healthcheck = { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 2e9, Retries: 3, StartPeriod: 4e9 };
    const Mounts = [
      {
        Type: 'bind',
        Source: '/tmp',
        Target: '/harbour',
        Consistency: 'cached',
        BindOptions: { Propagation: 'rslave' },
      },
    ];
    await using made = await make(subject, ['true'], {
      NetworkDisabled: true,
      ArgsEscaped: true,
      Healthcheck: { ...Healthcheck, StartInterval: 5e8 },
      HostConfig: { Mounts },
    });
    const { Config, HostConfig } = await made.inspect();
    assert.deepEqual([Config.NetworkDisabled, Config.ArgsEscaped], [true, true]);
    assertFits(Config.Healthcheck, { ...Healthcheck, Test: [String] });
    if (subject.name === 'berth') assert.equal(Config.Healthcheck.StartInterval, 5e8);
    assert.deepEqual(HostConfig.Mounts, Mounts);
  },
  'version names what it was built from': async (subject) => {
    const version = (await ask(subject, 'GET /version')).json();
    assertFits(version, { Platform: { Name: String }, GitCommit: String, GoVersion: String });
    for (const name of ['GitCommit', 'GoVersion'])
      assert.equal(
        version[name] === '',
        differs(subject, { berth: true, dockerd: false, because: 'the engine is not written in Go' }),
      );
  },
  'info has what says nothing here too': async (subject) => {
    const commit = { ID: String, Expected: String };
    assertFits((await ask(subject, 'GET /v1.41/info')).json(), {
      DriverStatus: [[String]],
      IndexServerAddress: 'https://index.docker.io/v1/',
      RegistryConfig: {
        InsecureRegistryCIDRs: [/\/\d+$/],
        IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [String], Secure: true, Official: true } },
        Mirrors: [String],
      },
      GenericResources: null,
      HttpProxy: '',
      HttpsProxy: '',
      NoProxy: '',
      Labels: nothing,
      Isolation: '',
      InitBinary: String,
      Plugins: { Volume: [String], Authorization: null },
      Swarm: { NodeID: '', NodeAddr: '', ControlAvailable: false, Error: '', RemoteManagers: null },
      ContainerdCommit: commit,
      RuncCommit: commit,
      InitCommit: commit,
    });
    if (subject.name !== 'berth') return;
    const info = (await ask(subject, 'GET /v1.47/info')).json();
    assertFits(info.Runtimes[info.DefaultRuntime], { path: /^(crun|runc)$/ });
    assertFits(info, { CDISpecDirs: nothing, DefaultAddressPools: [{ Base: /\/\d+$/, Size: above(0) }] });
  },
};
