import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, said, uniqueName } from './containers.ts';
import { assertFits } from './fits.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

const API = '/v1.41';
const encode = (filters: object) => encodeURIComponent(JSON.stringify(filters));

/** A network that a case makes, removed at its end whatever became of it. */
async function makeNetwork(
  subject: Subject,
  more: Loose = {},
): Promise<AsyncDisposable & { readonly id: string; readonly name: string }> {
  const name = uniqueName('network');
  const created = await ask(subject, `POST ${API}/networks/create`, { body: { Name: name, ...more } });
  if (created.status !== 201) throw new Error(`create: ${created.status} ${created.text}`);
  return {
    id: created.json().Id,
    name,
    [Symbol.asyncDispose]: async () => {
      const { status, text } = await ask(subject, `DELETE ${API}/networks/${name}`);
      if (status !== 204 && status !== 404) throw new Error(`remove: ${text}`);
    },
  };
}

/** Networks of users: made, listed, joined, left and removed. */
export const networkCases: Readonly<Record<string, Case>> = {
  'a network is created as it was asked for, and inspected': async (subject) => {
    const Config = [
      {
        Subnet: '10.232.1.0/24',
        IPRange: '10.232.1.128/25',
        Gateway: '10.232.1.254',
        AuxiliaryAddresses: { printer: '10.232.1.129' },
      },
    ];
    const asked = {
      Driver: 'bridge',
      Internal: true,
      Attachable: true,
      Labels: { team: 'harbour' },
      Options: { 'com.docker.network.driver.mtu': '1400' },
    };
    await using network = await makeNetwork(subject, { ...asked, IPAM: { Driver: 'default', Config } });
    for (const name of [network.name, network.id, network.id.slice(0, 12)]) {
      const found = await ask(subject, `GET ${API}/networks/${name}`);
      assert.equal(found.status, 200, name);
      assertFits(found.json(), {
        Name: network.name,
        Id: network.id,
        Created: /^\d{4}-\d\d-\d\dT/,
        Scope: 'local',
        EnableIPv6: false,
        ...asked,
        Containers: {},
      });
      assert.deepEqual(found.json().IPAM.Config, Config);
    }
    // What is wrong is refused, and leaves nothing.
    const taken = { Name: uniqueName('network'), IPAM: { Config: [{ Subnet: '10.232.1.0/25' }] } };
    const wrong: readonly [Loose, number, RegExp][] = [
      [{ ...taken, Name: network.name, CheckDuplicate: true }, 409, /already exists/],
      [taken, 403, /Pool overlaps with other one on this address space/],
      [{ Name: 'host' }, 403, /operation is not permitted on predefined host network/],
    ];
    for (const [body, status, words] of wrong) {
      const refused = await ask(subject, `POST ${API}/networks/create`, { body });
      assert.equal(refused.status, status, refused.text);
      assert.match(refused.json().message, words);
    }
    assert.equal((await ask(subject, `GET ${API}/networks/${taken.Name}`)).status, 404);
  },

  'a list of networks has filters': async (subject) => {
    const team = uniqueName('team');
    await using used = await makeNetwork(subject, { Labels: { [team]: 'a' } });
    await using unused = await makeNetwork(subject, { Labels: { [team]: 'b' } });
    await using user = await make(subject, ['sleep', '100'], { HostConfig: { NetworkMode: used.name } });
    await user.start();
    const namesOf = async (filters: object) => {
      const { status, json } = await ask(subject, `GET ${API}/networks?filters=${encode(filters)}`);
      assert.equal(status, 200);
      return (json() as { Name: string }[]).map(({ Name }) => Name).toSorted();
    };
    const both = [used.name, unused.name].toSorted();
    const label = [team];
    assert.deepEqual(await namesOf({ label }), both);
    assert.deepEqual(await namesOf({ label: [`${team}=b`] }), [unused.name]);
    assert.deepEqual(await namesOf({ label, name: [used.name] }), [used.name]);
    assert.deepEqual(await namesOf({ label, id: [unused.id] }), [unused.name]);
    assert.deepEqual(await namesOf({ label, driver: ['bridge'], scope: ['local'], type: ['custom'] }), both);
    assert.deepEqual(await namesOf({ label, type: ['builtin'] }), []);
    const because = 'dockerd 20.10 looks for who is on a network in a list that has nobody';
    const idle = differs(subject, { berth: [unused.name], dockerd: both, because });
    assert.deepEqual(await namesOf({ label, dangling: ['true'] }), idle);
    const busy = differs(subject, { berth: [used.name], dockerd: [], because });
    assert.deepEqual(await namesOf({ label, dangling: ['false'] }), busy);
    const odd = await ask(subject, `GET ${API}/networks?filters=${encode({ type: ['odd'] })}`);
    const refused = {
      berth: 400,
      dockerd: 500,
      because: 'a filter that makes no sense is the client’s fault',
    };
    assert.equal(odd.status, differs(subject, refused));
  },

  'a container that runs is brought onto a network and taken off it': async (subject) => {
    const IPAM = { Config: [{ Subnet: '10.232.3.0/24' }] };
    await using network = await makeNetwork(subject, { IPAM });
    await using web = await make(subject, ['sleep', '100'], { HostConfig: { NetworkMode: 'none' } });
    await using front = await makeNetwork(subject);
    await using store = await make(subject, ['sleep', '100'], { HostConfig: { NetworkMode: front.name } });
    await store.start();
    const connect = (Container: string, EndpointConfig?: Loose) =>
      ask(subject, `POST ${API}/networks/${network.name}/connect`, { body: { Container, EndpointConfig } });
    const endpoint = { IPAMConfig: { IPv4Address: '10.232.3.77' }, Aliases: ['db'] };
    assert.equal((await connect(store.id, endpoint)).status, 200);
    const joined = (await store.inspect()).NetworkSettings.Networks;
    assert.deepEqual(Object.keys(joined).toSorted(), [front.name, network.name].toSorted());
    assertFits(joined[network.name], { NetworkID: network.id, IPAddress: '10.232.3.77', IPPrefixLen: 24 });
    assert.ok(joined[network.name].Aliases.includes('db'));
    const { Containers } = (await ask(subject, `GET ${API}/networks/${network.id}`)).json();
    assertFits(Containers, {
      [store.id]: { Name: store.name, IPv4Address: '10.232.3.77/24', EndpointID: /^[0-9a-f]{64}$/ },
    });
    // Others find it by that name, and by its own.
    for (const name of ['db', store.name]) {
      const HostConfig = { NetworkMode: network.name };
      const lines = await said(subject, `ping -c 1 -W 10 ${name}`, { HostConfig });
      assert.match(lines[0] ?? '', /10\.232\.3\.77/);
    }
    // Twice, with an address that is taken or of another network, or from one that has no network.
    assert.equal((await connect(store.id)).status, 403);
    assert.ok((await connect(web.id)).status >= 400);
    const gone = await ask(subject, `POST ${API}/networks/nobody/connect`, { body: { Container: store.id } });
    assert.equal(gone.status, 404);
    assert.equal((await connect('nobody')).status, 404);
    // In use it stays.
    const held = await ask(subject, `DELETE ${API}/networks/${network.name}`);
    assert.equal(held.status, 403);
    assert.match(held.json().message, /has active endpoints/);
    const disconnect = () =>
      ask(subject, `POST ${API}/networks/${network.name}/disconnect`, { body: { Container: store.id } });
    assert.equal((await disconnect()).status, 200);
    assert.deepEqual(Object.keys((await store.inspect()).NetworkSettings.Networks), [front.name]);
    assert.ok((await disconnect()).status >= 400, 'it is not there any more');
    assert.equal((await ask(subject, `DELETE ${API}/networks/${network.name}`)).status, 204);
    assert.equal((await ask(subject, `DELETE ${API}/networks/${network.name}`)).status, 404);
    assert.equal((await ask(subject, `DELETE ${API}/networks/bridge`)).status, 403);
  },

  'a prune takes the networks that nothing uses': async (subject) => {
    const team = uniqueName('team');
    const Labels = { [team]: '' };
    await using used = await makeNetwork(subject, { Labels });
    await using kept = await makeNetwork(subject, { Labels: { ...Labels, keep: '' } });
    await using unused = await makeNetwork(subject, { Labels });
    await using user = await make(subject, ['sleep', '100'], { HostConfig: { NetworkMode: used.name } });
    await user.start();
    const prune = async (filters: object) =>
      (
        await ask(subject, `POST ${API}/networks/prune?filters=${encode({ label: [team], ...filters })}`)
      ).json().NetworksDeleted;
    assert.ok(!(await prune({ until: ['1h'] }))?.length);
    assert.deepEqual(await prune({ 'label!': ['keep'] }), [unused.name]);
    assert.deepEqual(await prune({}), [kept.name]);
    assert.equal((await ask(subject, `GET ${API}/networks/${used.name}`)).status, 200);
  },
};
