import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { ContainerSummary } from '../../engine/api/wire.ts';

/** Many containers, for measuring: what the dashboard asks of an engine, answered at once and from memory. */
export type Crowd = AsyncDisposable & {
  readonly host: string;
  /** How many requests were answered so far. */
  readonly requests: () => number;
  /** Writes to the log of whichever container is being followed. */
  readonly writeLog: (text: string) => boolean;
};

export async function startCrowd(options: {
  readonly socketPath: string;
  readonly count: number;
  /** How long ago the newest was created, in seconds: two hours. */
  readonly ageS?: number;
}): Promise<Crowd> {
  const { socketPath, count, ageS = 7200 } = options;
  let requests = 0;
  let log: ServerResponse | undefined;
  const now = Math.floor(Date.now() / 1000);
  const containers = Array.from({ length: count }, (_none, index) =>
    container(index, now - ageS - index * 60),
  );
  const server = createServer((request, response) => {
    requests += 1;
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const json = (value: unknown) => response.end(JSON.stringify(value));
    if (path === '/events') response.flushHeaders();
    else if (path === '/version') json({ Version: '1', Components: [{ Name: 'Crowd Engine' }] });
    else if (path === '/images/json') json([]);
    else if (path === '/containers/json') json(containers);
    else if (path.endsWith('/logs')) {
      log = response;
      response.flushHeaders();
    } else {
      const found = containers.find(({ Id }) => path.includes(Id));
      json({
        ...found,
        Name: found?.Names[0],
        Config: { Tty: true },
        HostConfig: {},
        Path: 'top',
        State: {},
      });
    }
  }).listen(socketPath);
  await once(server, 'listening');
  return {
    host: `unix://${socketPath}`,
    requests: () => requests,
    writeLog: (text) => log?.write(text) ?? false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function container(index: number, created: number): ContainerSummary {
  const running = index % 3 !== 0;
  return {
    Id: index.toString(16).padStart(64, '0'),
    Names: [`/service-${index}`],
    Image: `registry.example/team-${index % 7}/service:1.${index % 40}`,
    ImageID: `sha256:${'0'.repeat(64)}`,
    Command: '/usr/bin/serve --listen 0.0.0.0:8080',
    Created: created,
    Ports: running ? [{ IP: '0.0.0.0', PrivatePort: 8080, PublicPort: 20_000 + index, Type: 'tcp' }] : [],
    Labels: {},
    State: running ? 'running' : 'exited',
    Status: running ? 'Up 2 hours' : `Exited (${index % 2}) 2 hours ago`,
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };
}
