import assert from 'node:assert/strict';
import { type Behaviours, containerOf, type Given, print } from './given.ts';

/** A network that goes at the end. */
async function networkOf(given: Given, ...flags: readonly string[]) {
  const name = `cli-${Math.random().toString(36).slice(2, 10)}`;
  const id = (await print(given, 'network', 'create', ...flags, name)).trim();
  return {
    id,
    name,
    [Symbol.asyncDispose]: async () =>
      void (await given.berth.run(['network', 'rm', '-f', name], { host: given.host })),
  };
}

const joined = ['-f', '{{range $name, $it := .NetworkSettings.Networks}}{{$name}}={{$it.IPAddress}} {{end}}'];

/** Networks, and containers on them. */
export const connecting: Behaviours = {
  'network create makes one with the subnets, gateways and addresses that are named': async (given) => {
    const flags = [
      ...['--subnet', '10.234.1.0/24', '--subnet', 'fd00:b7:34::/64', '--ipv6', '--internal'],
      ...['--gateway', 'fd00:b7:34::9', '--gateway', '10.234.1.9', '--ip-range', '10.234.1.64/26'],
      ...['--aux-address', 'printer=10.234.1.70', '-o', 'com.docker.network.driver.mtu=1400'],
      ...['--label', 'tier=back'],
    ];
    await using network = await networkOf(given, ...flags);
    const template = '{{json .IPAM.Config}} {{.Internal}} {{.EnableIPv6}} {{json .Options}} {{json .Labels}}';
    const shown = await print(given, 'network', 'inspect', '-f', template, network.name);
    const v4 = {
      Subnet: '10.234.1.0/24',
      IPRange: '10.234.1.64/26',
      Gateway: '10.234.1.9',
      AuxiliaryAddresses: { printer: '10.234.1.70' },
    };
    const [pools = '', ...rest] = shown.trimEnd().split(' ');
    assert.deepEqual(JSON.parse(pools), [v4, { Subnet: 'fd00:b7:34::/64', Gateway: 'fd00:b7:34::9' }]);
    assert.deepEqual(rest, ['true', 'true', '{"com.docker.network.driver.mtu":"1400"}', '{"tier":"back"}']);
  },

  'network create refuses what belongs to no subnet': async ({ berth, host }) => {
    const subnet = ['--subnet', '10.234.2.0/24'];
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['--gateway', '10.234.2.1'], /no matching subnet for gateway 10\.234\.2\.1/],
      [[...subnet, '--gateway', '10.9.9.9'], /no matching subnet for gateway 10\.9\.9\.9/],
      [[...subnet, '--ip-range', '10.9.9.0/24'], /no matching subnet for range 10\.9\.9\.0\/24/],
      [[...subnet, '--aux-address', 'a=x'], /no matching subnet for aux-address x/],
      [
        [...subnet, '--gateway', '10.234.2.1', '--gateway', '10.234.2.2'],
        /cannot configure multiple gateways \(10\.234\.2\.1, 10\.234\.2\.2\) on the same subnet/,
      ],
      [['--subnet', '10.234/x', '--gateway', '10.234.2.1'], /invalid subnet '10\.234\/x'/],
      [['--config-only'], /--config-only is not supported: networks here are of one machine/],
    ];
    for (const [flags, words] of wrong) {
      const { code, stdout, stderr } = await berth.run(['network', 'create', ...flags, 'cli-wrong'], {
        host,
      });
      assert.notEqual(code, 0, flags.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, words);
    }
    const none = await berth.run(['network', 'inspect', 'cli-wrong'], { host });
    assert.deepEqual([none.code, none.stdout], [1, '[]\n']);
  },

  'network connect gives a name and an address, run is on several at once': async (given) => {
    await using front = await networkOf(given, '--subnet', '10.234.3.0/24');
    await using back = await networkOf(given, '--subnet', '10.234.4.0/24');
    await using web = await containerOf(given, {
      flags: ['--network', front.name, '--network-alias', 'site', '--ip', '10.234.3.7'],
    });
    const find = (network: string, name: string) =>
      print(given, 'run', '--rm', '--network', network, 'busybox', 'ping', '-c', '1', '-W', '20', name);
    assert.match(await find(front.name, 'site'), /10\.234\.3\.7/);
    const connect = ['network', 'connect', '--ip', '10.234.4.8', '--alias', 'db'];
    assert.equal(await print(given, ...connect, back.name, web.name), '');
    const there = [`${front.name}=10.234.3.7`, `${back.name}=10.234.4.8`].toSorted();
    assert.equal(await print(given, 'inspect', ...joined, web.name), `${there.join(' ')} \n`);
    assert.match(await find(back.name, 'db'), /10\.234\.4\.8/);
    const held = await given.berth.run(['network', 'rm', back.name], { host: given.host });
    assert.equal(held.code, 1);
    assert.match(held.stderr, /has active endpoints/);
    assert.equal(await print(given, 'network', 'disconnect', back.name, web.name), '');
    assert.equal(await print(given, 'inspect', ...joined, web.name), `${front.name}=10.234.3.7 \n`);
    assert.equal(await print(given, 'network', 'rm', back.name), `${back.name}\n`);
    // dockerd 20.10 takes one network at a create.
    if (given.engine !== 'berth') return;
    await using other = await networkOf(given, '--subnet', '10.234.4.0/24');
    await using both = await containerOf(given, {
      flags: ['--network', front.name, '--network', `name=${other.name},ip=10.234.4.9,alias=store`],
    });
    const networks = await print(given, 'inspect', ...joined, both.name);
    assert.ok(networks.includes(`${front.name}=10.234.3.`) && networks.includes(`${other.name}=10.234.4.9 `));
    assert.match(await find(other.name, 'store'), /10\.234\.4\.9/);
    const twice = ['run', '--rm', '--network', front.name, '--network', front.name, 'busybox', 'true'];
    const refused = await given.berth.run(twice, { host: given.host });
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /is specified multiple times/);
  },
};
