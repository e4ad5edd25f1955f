import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, refusal, uniqueName } from './containers.ts';
import { assertFits } from './fits.ts';
import { ask, type Loose } from './wire.ts';

/** Containers on networks. */
export const endpointCases: Readonly<Record<string, Case>> = {
  'an endpoint has the addresses, names and links that were asked for it': async (subject) => {
    // dockerd 20.10 says of them only once it runs.
    if (subject.name !== 'berth') return;
    const name = uniqueName('network');
    const Config = [{ Subnet: '10.231.77.0/24' }, { Subnet: 'fd00:b7:77::/64' }];
    const body = { Name: name, EnableIPv6: true, IPAM: { Config } };
    assert.equal((await ask(subject, 'POST /v1.41/networks/create', { body })).status, 201);
    try {
      const IPAMConfig = { IPv4Address: '10.231.77.9', IPv6Address: 'fd00:b7:77::9' };
      await using other = await make(subject, ['true'], { HostConfig: { NetworkMode: name } });
      const endpoint = { IPAMConfig, Links: [`${other.name}:web`], Aliases: ['pier'] };
      const wanted = (more: Loose) => ({
        HostConfig: { NetworkMode: name },
        NetworkingConfig: { EndpointsConfig: { [name]: { ...endpoint, ...more } } },
      });
      await using made = await make(subject, ['true'], wanted({ DriverOpts: { colour: 'red' } }));
      const shown = (await made.inspect()).NetworkSettings.Networks[name];
      assertFits(shown.IPAMConfig, IPAMConfig);
      assert.ok(shown.Aliases.includes('pier'));
      assert.deepEqual(shown.DriverOpts, { colour: 'red' });
      const local = { IPAMConfig: { ...IPAMConfig, LinkLocalIPs: ['169.254.1.1'] } };
      assert.equal((await refusal(subject, wanted(local))).status, 501);
    } finally {
      await ask(subject, `DELETE /v1.41/networks/${name}`);
    }
  },
};
