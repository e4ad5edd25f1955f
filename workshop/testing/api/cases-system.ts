import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { NETWORKED, run } from './containers.ts';
import { ask, differs, openRaw } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));

export const systemCases: Readonly<Record<string, Case>> = {
  'ping answers OK, bare and under every version, with the headers that clients negotiate by': async (
    subject,
  ) => {
    for (const path of ['/_ping', '/v1.30/_ping', '/v1.41/_ping']) {
      const { status, headers, text } = await ask(subject, `GET ${path}`);
      assert.deepEqual([status, text], [200, 'OK']);
      assert.match(String(headers['api-version']), /^1\.\d+$/);
      assert.equal(headers.ostype, 'linux');
      assert.equal(headers['docker-experimental'], 'false');
      assert.match(String(headers.server), /^\w+\/\S+ \(linux\)$/);
      assert.match(String(headers['content-type']), /^text\/plain/);
      assert.match(String(headers['cache-control']), /no-store/);
    }
  },
  'ping answers HEAD with the same headers and no body': async (subject) => {
    const { status, headers, text } = await ask(subject, 'HEAD /_ping');
    assert.deepEqual([status, text], [200, '']);
    assert.match(String(headers['api-version']), /^1\.\d+$/);
    assert.equal(headers.ostype, 'linux');
  },
  'an error carries the headers too, and a message': async (subject) => {
    const { status, headers, json } = await ask(subject, 'GET /v1.41/containers/nobody/json');
    assert.equal(status, 404);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.match(String(headers['api-version']), /^1\.\d+$/);
    assert.equal(headers.ostype, 'linux');
    assert.equal(headers['docker-experimental'], 'false');
    assert.match(json().message, /No such container: nobody/);
    if (subject.name === 'berth') assert.equal(json().code, 'notFound');
  },
  'a version that is too new is refused with the newest there is': async (subject) => {
    const { headers } = await ask(subject, 'GET /_ping');
    for (const path of ['/v1.99/info', '/v1.99/_ping', '/v1.99/containers/json']) {
      const { status, json } = await ask(subject, `GET ${path}`);
      assert.equal(status, 400);
      assert.equal(
        json().message,
        `client version 1.99 is too new. Maximum supported API version is ${headers['api-version']}`,
      );
    }
  },
  'a version that is too old is refused with the oldest there is': async (subject) => {
    const { status, text } = await ask(subject, 'GET /v1.11/info');
    assert.equal(status, 400);
    const oldest = differs(subject, {
      berth: '1.24',
      dockerd: '1.12',
      because: 'dockerd 20.10 serves what the CLI stopped speaking in 2016; later ones begin at 1.24',
    });
    assert.ok(
      text.includes(
        `client version 1.11 is too old. Minimum supported API version is ${oldest}, please upgrade your client to a newer version`,
      ),
      text,
    );
  },
  'a path that is no endpoint is not found': async (subject) => {
    const lines = [
      'GET /nothing',
      'GET /v1.41/nothing/json',
      'POST /containers/json',
      'PUT /_ping',
      'GET /v1.41/',
    ];
    for (const line of lines) {
      const { status, json } = await ask(subject, line);
      assert.deepEqual([status, json().message], [404, 'page not found'], line);
    }
  },
  'what is not HTTP gets a 400 and the connection is closed': async (subject) => {
    const { status, rest } = await openRaw(subject, 'NOT HTTP AT ALL');
    assert.equal(status, 400);
    await rest();
  },
  'version names the engine, its API and its parts': async (subject) => {
    const { status, json } = await ask(subject, 'GET /version');
    assert.equal(status, 200);
    const version = json();
    const { headers } = await ask(subject, 'GET /_ping');
    assert.equal(version.ApiVersion, headers['api-version']);
    assert.equal(version.Os, 'linux');
    assert.match(version.Arch, /^(amd64|arm64)$/);
    assert.match(version.MinAPIVersion, /^1\.\d+$/);
    assert.equal(version.Components[0].Name, 'Engine');
    assert.equal(version.Components[0].Version, version.Version);
    assert.equal(version.Components[0].Details.ApiVersion, version.ApiVersion);
    assert.match(version.KernelVersion, /^\d+\.\d+/);
  },
  'info counts containers and images and describes the machine': async (subject) => {
    await using _one = await run(subject, 'sleep 60');
    const { status, json } = await ask(subject, 'GET /v1.41/info');
    assert.equal(status, 200);
    const info = json();
    assert.ok(info.ContainersRunning >= 1);
    assert.equal(info.Containers, info.ContainersRunning + info.ContainersPaused + info.ContainersStopped);
    assert.ok(info.Images >= 1);
    assert.equal(info.OSType, 'linux');
    assert.equal(info.Swarm.LocalNodeState, 'inactive');
    for (const name of [
      'ID',
      'Name',
      'Driver',
      'ServerVersion',
      'KernelVersion',
      'OperatingSystem',
      'DockerRootDir',
      'DefaultRuntime',
      'Architecture',
      'CgroupDriver',
    ])
      assert.ok(typeof info[name] === 'string' && info[name] !== '', name);
    assert.match(info.CgroupVersion, /^[12]$/);
    assert.ok(info.NCPU >= 1 && info.MemTotal > 2 ** 20);
    assert.ok(Array.isArray(info.Plugins.Network));
    assert.equal(typeof info.Runtimes[info.DefaultRuntime], 'object');
  },
  'bridge, host and none are listed as networks, and inspected by name and id': async (subject) => {
    // An engine that has just begun may take its subnet with the first container.
    await using member = await run(subject, 'sleep 60', NETWORKED);
    const networks = (await ask(subject, 'GET /v1.41/networks')).json() as {
      Name: string;
      Id: string;
      Driver: string;
    }[];
    const found = Object.fromEntries(networks.map(({ Name, Driver }) => [Name, Driver]));
    assert.deepEqual([found.bridge, found.host, found.none], ['bridge', 'host', 'null']);
    const bridge = networks.find(({ Name }) => Name === 'bridge');
    assert.match(bridge?.Id ?? '', /^[0-9a-f]{64}$/);
    for (const name of ['bridge', bridge?.Id, bridge?.Id.slice(0, 12)]) {
      const network = (await ask(subject, `GET /v1.41/networks/${name}`)).json();
      assert.deepEqual([network.Name, network.Id, network.Scope], ['bridge', bridge?.Id, 'local']);
      assert.match(network.IPAM.Config[0].Subnet, /^\d+\.\d+\.\d+\.\d+\/\d+$/);
    }
    const { Containers } = (await ask(subject, 'GET /v1.41/networks/bridge')).json();
    assert.match(Containers[member.id].IPv4Address, /^\d+\.\d+\.\d+\.\d+\/\d+$/);
    const one = (await ask(subject, `GET /v1.41/networks?filters=${filters({ name: ['hos'] })}`)).json();
    assert.deepEqual(
      one.map(({ Name }: { Name: string }) => Name),
      ['host'],
    );
    const unknown = await ask(subject, `GET /v1.41/networks?filters=${filters({ colour: ['red'] })}`);
    assert.equal(unknown.status, 400);
  },
  'what docker inspect asks for next is cleanly not there': async (subject) => {
    for (const path of [
      '/containers/nobody/json',
      '/images/nobody/json',
      '/networks/nobody',
      '/volumes/nobody',
      '/plugins/nobody/json',
      '/exec/nobody/json',
    ]) {
      const { status, json } = await ask(subject, `GET /v1.41${path}`);
      assert.equal(status, 404, path);
      assert.match(json().message, /nobody/);
    }
  },
  'swarm objects outside a swarm are unavailable': async (subject) => {
    for (const path of [
      '/services/x',
      '/tasks/x',
      '/nodes/x',
      '/secrets/x',
      '/configs/x',
      '/services',
      '/swarm',
    ]) {
      const { status, json } = await ask(subject, `GET /v1.41${path}`);
      assert.equal(status, 503, path);
      assert.match(json().message, /^This node is not a swarm manager/);
    }
  },
  'an endpoint that is not served says so by name': async (subject) => {
    const { status, json } = await ask(subject, 'POST /v1.41/swarm/join');
    const expected = differs(subject, {
      berth: { status: 501, words: /POST \/swarm\/join is not served/ },
      dockerd: { status: 400, words: /./ },
      because: 'dockerd serves it',
    });
    assert.equal(status, expected.status);
    assert.match(json().message, expected.words);
  },
};
