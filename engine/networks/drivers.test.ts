import assert from 'node:assert/strict';
import test from 'node:test';
import { enterHost, joinHosts, makeHost } from '../../workshop/testing/hosts.ts';
import { block, knock, ping, testNetworks } from '../../workshop/testing/networks.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { overlaps, parseSubnet } from './addresses.ts';

test('a container on macvlan is a host of its own on the parent’s network', { timeout: 60_000 }, async () => {
  await using fixture = await testNetworks(`${block}.1.0/24`);
  await using outside = await makeHost(fixture.root.join('outside'));
  const parent = await joinHosts({ to: outside, here: [`${block}.200.1/24`], there: [`${block}.200.2/24`] });
  await fixture.networks.create({
    Name: 'lan',
    Driver: 'macvlan',
    Options: { parent },
    IPAM: {
      Config: [{ Subnet: `${block}.200.0/24`, Gateway: `${block}.200.2`, IPRange: `${block}.200.64/26` }],
    },
  });
  const wish = { protocol: 'tcp', containerPort: 80, address: '', first: 0, last: 0 } as const;
  const one = await fixture.start('one', ['lan'], [wish]);
  const [address = ''] = one.addresses;
  assert.match(address, new RegExp(`^${block}\\.200\\.(6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])$`));
  await one.inside(...ping(`${block}.200.2`));
  await outside.run(...ping(address));
  const endpoint = fixture.networks.endpointsOf('one').lan;
  assert.match(await outside.run('ip', 'neigh', 'show', address), new RegExp(endpoint?.MacAddress ?? '-'));
  assert.match(await one.inside('ip', 'route'), new RegExp(`default via ${block}.200.2 dev eth0`));
  // Linux keeps a macvlan and its parent apart, and no port leads there.
  await assert.rejects(one.inside(...knock(`${block}.200.1`)));
  assert.deepEqual(fixture.networks.portsOf('one'), []);
  const gone = { Name: 'astray', Driver: 'macvlan', Options: { parent: 'nowhere0' } };
  await fixture.networks.create({ ...gone, IPAM: { Config: [{ Subnet: `${block}.201.0/24` }] } });
  await assert.rejects(fixture.start('two', ['astray']), /there is no interface nowhere0 on this host/);
  for (const id of ['one', 'two']) await fixture.stop(id);
});

test('containers of a network without masquerade are seen by their own addresses', async () => {
  await using fixture = await testNetworks(`${block}.2.0/24`);
  await using outside = await makeHost(fixture.root.join('outside'));
  await joinHosts({ to: outside, here: [`${block}.200.1/24`], there: [`${block}.200.2/24`] });
  await fixture.networks.create({
    Name: 'plain',
    IPAM: { Config: [{ Subnet: `${block}.20.0/24` }] },
    Options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
  });
  const one = await fixture.start('one', ['plain']);
  // The other host knows no way to that address, and then it does.
  await assert.rejects(one.inside(...knock(`${block}.200.2`)));
  await outside.run('ip', 'route', 'add', `${block}.20.0/24`, 'via', `${block}.200.1`);
  await one.inside(...ping(`${block}.200.2`));
  await fixture.stop('one');
});

test('a network without a subnet of its own gets one that neither the host routes nor another network has', async () => {
  await using root = await tempRoot('pools');
  await using here = await makeHost(root.join('here'));
  using _inside = enterHost(here.path);
  const routed = ['172.18.0.0/15', '172.21.7.0/24', '10.0.0.0/9'];
  for (const subnet of routed) await here.run('ip', 'route', 'add', 'blackhole', subnet);
  await using fixture = await testNetworks(`${block}.3.0/24`);
  await fixture.networks.create({ Name: 'taken', IPAM: { Config: [{ Subnet: '172.22.5.0/24' }] } });
  const used = [...routed, '172.22.5.0/24'];
  for (const Name of ['one', 'two', 'three']) {
    const { network } = await fixture.networks.create({ Name });
    const [{ Subnet = '' } = {}] = network.subnets;
    for (const other of used)
      assert.ok(!overlaps(parseSubnet(Subnet), parseSubnet(other)), `${Subnet} ${other}`);
    used.push(Subnet);
  }
  assert.deepEqual(used.slice(-3), ['172.20.0.0/16', '172.23.0.0/16', '172.24.0.0/16']);
});
