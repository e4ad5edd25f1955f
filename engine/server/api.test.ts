import test, { after, before, describe } from 'node:test';
import type { Harbour } from '../../workshop/testing/api/case.ts';
import { cases } from '../../workshop/testing/api/suite.ts';
import type { Subject } from '../../workshop/testing/api/wire.ts';
import { startEngine } from '../../workshop/testing/engine.ts';
import { busyboxImage, pushImage } from '../../workshop/testing/images.ts';
import { loadBusybox, peerMissing, startDockerd } from '../../workshop/testing/peers.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';

const subjects = {
  berth: { skip: undefined, start: () => startEngine() },
  // The oracle: what holds of it is what clients expect.
  dockerd: {
    skip: await peerMissing('dockerd'),
    start: async () => {
      const peer = await startDockerd();
      if (peer !== undefined) await loadBusybox(peer.host);
      return peer;
    },
  },
};

for (const [name, { skip, start }] of Object.entries(subjects)) {
  describe(`the Engine API of ${name}`, { concurrency: 4, skip: skip ?? false }, () => {
    const stack = new AsyncDisposableStack();
    const started = Promise.withResolvers<readonly [Subject, Harbour]>();
    before(async () => {
      const registry = stack.use(await startRegistry());
      // Images of their own: a name that another case gives busybox for a while would change what may be removed.
      const { layers, config } = await busyboxImage();
      for (const name of ['harbour/busybox', 'harbour/pinned'])
        await pushImage({ registry, name, layers, config: { ...config, Labels: { name } } });
      const subject = stack.use(await start());
      if (subject === undefined) throw new Error(`${name} did not start`);
      await subject.reachPort(Number(registry.host.split(':')[1]));
      started.resolve([subject, { registry: registry.host }]);
    });
    after(() => stack.disposeAsync());
    for (const [title, check] of Object.entries(cases)) {
      test(title, { timeout: 60_000 }, async () => check(...(await started.promise)));
    }
  });
}
