import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import test from 'node:test';
import { make } from './api/containers.ts';
import { ask } from './api/wire.ts';
import { busyboxImage, pushImage } from './images.ts';
import { loadBusybox, peerMissing, startDockerd, startPodman } from './peers.ts';
import { startRegistry } from './registry.ts';

/** The processes that have a path in their command line: daemons, shims, monitors, forwarders. */
function processesOf(path: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline')
    .map((file) => {
      try {
        return readFileSync(file, 'utf8').replaceAll('\0', ' ');
      } catch {
        // It has ended meanwhile.
        return '';
      }
    })
    .filter((command) => command.includes(path));
}

for (const [name, start] of [
  ['dockerd', startDockerd],
  ['podman', startPodman],
] as const) {
  const skip = (await peerMissing(name)) ?? false;
  test(`${name} runs in namespaces of its own, pulls from this machine, and leaves nothing behind`, {
    skip,
  }, async () => {
    let root = '';
    {
      await using registry = await startRegistry();
      await pushImage({ registry, name: 'harbour/busybox', ...(await busyboxImage()) });
      const interfaces = await readdir('/sys/class/net');
      await using peer = await start({ insecureRegistries: [registry.host] });
      assert.ok(peer !== undefined);
      root = dirname(peer.socketPath);
      assert.ok(processesOf(root).length > 0);
      await loadBusybox(peer.host);
      await peer.reachPort(Number(registry.host.split(':')[1]));
      const pulled = await ask(
        peer,
        `POST /v1.40/images/create?fromImage=${registry.host}/harbour/busybox&tag=latest`,
      );
      assert.equal(pulled.status, 200);
      assert.doesNotMatch(pulled.text, /"error"/);
      // Left running: it goes with the peer.
      const made = await make(peer, ['sleep', '1000']);
      await made.start();
      assert.ok((await made.inspect()).State.Pid > 1);
      const added = (await readdir('/sys/class/net')).filter((card) => !interfaces.includes(card));
      assert.ok(!added.some((card) => /^(docker|cni|podman)/.test(card)), added.join());
    }
    const left = [
      ...processesOf(root),
      ...globSync(`/sys/fs/cgroup/**/${basename(root)}`),
      ...globSync(root),
    ];
    assert.deepEqual(left, []);
  });
}
