import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { promisify } from 'node:util';
import { MAX_RESULT_TOKENS, tokensOf } from './budget.ts';
import { startRaw } from './testing/raw.ts';
import { clients, openSession, type ToolSeen } from './testing/session.ts';

/** Nothing listens here: these tests need no engine. */
const nowhere = 'unix:///nonexistent/berth.sock';
const golden = new URL('../snapshots/mcp/tools.json', import.meta.url);
const main = new URL('./main.ts', import.meta.url).pathname;

const root = new URL('..', import.meta.url).pathname;

function build(program: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['workshop/build.ts', program], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

/** Most estimated tokens of seven tools: sixteen are to stay within 2,500, and 5,000 on the wire. */
const MAX_LIST_TOKENS = 1000;
const MAX_LIST_WIRE_TOKENS = 2000;
const MAX_READ_ONLY_TOKENS = 500;

/** What models are shown: name, description and input schema; four bytes are counted as a token. */
function shownTokens(tools: readonly ToolSeen[]): number {
  return tokensOf(tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })));
}

test('the tools are those of snapshots/mcp/tools.json, and cost no more (UPDATE_SNAPSHOTS=1 writes it)', async () => {
  await using session = await openSession({ host: nowhere });
  const tools = await session.list();
  const seen = {
    tokens: { shown: shownTokens(tools), wire: tokensOf(tools), estimate: 'UTF-8 bytes of the JSON / 4' },
    tools,
  };
  if (process.env.UPDATE_SNAPSHOTS) await writeFile(golden, `${JSON.stringify(seen, null, 2)}\n`);
  assert.deepEqual(seen, JSON.parse(await readFile(golden, 'utf8')));
  assert.ok(seen.tokens.shown <= MAX_LIST_TOKENS, `${seen.tokens.shown} tokens are shown`);
  assert.ok(seen.tokens.wire <= MAX_LIST_WIRE_TOKENS, `${seen.tokens.wire} tokens on the wire`);
});

for (const client of clients) {
  test(`a client of ${client} is told of the same tools, with schemas and all four hints`, async () => {
    await using session = await openSession({ host: nowhere, client });
    const tools = await session.list();
    const { tools: expected } = JSON.parse(await readFile(golden, 'utf8')) as { tools: readonly ToolSeen[] };
    assert.deepEqual(tools, expected);
    for (const { name, annotations = {}, inputSchema, outputSchema } of tools) {
      assert.equal(inputSchema.type, 'object', name);
      assert.equal(outputSchema?.type, 'object', name);
      assert.deepEqual(
        Object.keys(annotations).toSorted(),
        ['destructiveHint', 'idempotentHint', 'openWorldHint', 'readOnlyHint'],
        name,
      );
    }
  });

  test(`a client of ${client} is told what is wrong when no engine is there`, async () => {
    await using session = await openSession({ host: nowhere, client });
    const { isError, text } = await session.call('container_list');
    assert.equal(isError, true);
    assert.match(text, /^unavailable: no engine answers at unix:\/\/\/nonexistent\/berth\.sock\nhint: /);
  });
}

test('with --read-only only tools that change nothing are there', async () => {
  await using session = await openSession({ host: nowhere, flags: ['--read-only'] });
  const tools = await session.list();
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['container_list', 'container_inspect', 'container_logs', 'image_list'],
  );
  assert.ok(tools.every(({ annotations }) => annotations?.readOnlyHint === true));
  assert.ok(shownTokens(tools) <= MAX_READ_ONLY_TOKENS, `${shownTokens(tools)} tokens`);
  for (const name of ['container_run', 'container_remove', 'image_pull']) {
    await assert.rejects(session.call(name, { image: 'busybox', container: 'x' }), /not found/);
  }
});

test('bad arguments are answered with what is wrong, without asking the engine', async () => {
  await using session = await openSession({ host: nowhere });
  for (const [tool, args, message] of [
    ['container_list', { all: 'yes' }, /all: expected true or false/],
    ['container_list', { filter: ['status'] }, /expected a list of KEY=VALUE/],
    ['container_list', { limit: 0 }, /limit: expected at least 1/],
    ['container_inspect', {}, /no container given/],
    ['container_logs', { container: 'x', tail: 0 }, /tail: expected at least 1/],
    ['container_logs', { container: 'x', since: 'yesterday' }, /invalid time 'yesterday'/],
    ['container_run', {}, /no image given/],
    ['container_run', { image: 'busybox', privileged: true }, /no parameter "privileged"/],
    [
      'container_run',
      { image: 'busybox', volumes: ['/:/host'] },
      /invalid volume '\/:\/host'.*\nhint: volume_create/,
    ],
    ['container_run', { image: 'busybox', mount: ['type=bind,src=/,dst=/host'] }, /no parameter "mount"/],
    ['container_run', { image: 'busybox', network: 'host' }, /'host' is not allowed/],
    ['container_run', { image: 'busybox', network: 'container:x' }, /'container:x' is not allowed/],
    [
      'container_run',
      { image: 'busybox', memory: '64g' },
      /more than this server allows\nhint: .*--max-memory/,
    ],
    ['container_run', { image: 'busybox', memory: '1k' }, /memory: expected at least/],
    ['container_run', { image: 'busybox', cpus: 64 }, /more than this server allows\nhint: .*--max-cpus/],
    ['container_run', { image: 'busybox', env: ['HOME'] }, /not of the form NAME=VALUE/],
    ['container_run', { image: 'busybox', command: 'ls' }, /command: expected a list/],
    ['container_run', { image: 'busybox', name: '../x' }, /name: expected two or more letters/],
    ['container_run', { image: 'busybox', timeout: 0 }, /timeout: expected at least 1/],
    ['container_run', { image: 'Not An Image' }, /invalid reference format/],
    ['image_pull', { image: 'team/UPPER' }, /invalid reference format.*\nhint: /s],
  ] as const) {
    const { isError, text } = await session.call(tool, args);
    assert.equal(isError, true, text);
    assert.match(text, message);
  }
});

test('whatever the arguments are, the server stays and speaks nothing but the protocol', async () => {
  await using server = await startRaw(['--host', nowhere]);
  const hostile: unknown[] = [
    null, 0, -1, 1e308, true, '', 'x', '\0', '../../etc/passwd', '$(reboot)', 'a'.repeat(100_000), [], [[]], {},
    { __proto__: null, constructor: { prototype: 1 } }, ['\ud800'], [null], { a: { b: { c: [] } } },
    '{"jsonrpc":"2.0"}', '\u2028\u202e', -0.5, [1, 'two', {}],
  ]; // biome-ignore format: a table
  const tools = ((await server.ask('tools/list')).result?.tools ?? []) as readonly ToolSeen[];
  assert.equal(tools.length, 7);
  for (const { name, inputSchema } of tools) {
    const parameters = Object.keys(inputSchema.properties as object);
    for (const value of hostile) {
      const every = Object.fromEntries(parameters.map((parameter) => [parameter, value]));
      const one = { [parameters[0] ?? '']: value };
      for (const args of [value, every, one]) {
        const answer = await server.ask('tools/call', { name, arguments: args });
        assert.ok(
          answer.error !== undefined || answer.result?.isError,
          `${name} ${JSON.stringify(args)?.slice(0, 99)}`,
        );
        assert.ok(tokensOf(answer) <= MAX_RESULT_TOKENS);
      }
    }
  }
  for (const name of ['', 'no_such_tool', '__proto__', 'constructor', null, 7, {}]) {
    assert.ok((await server.ask('tools/call', { name, arguments: {} })).error, JSON.stringify(name));
  }
  for (const text of ['', 'not json', '{', '[]', '[[[[', 'null', '7', '"x"', '{"jsonrpc":"1.0"}', '\0\0\0']) {
    server.send(text);
  }
  server.send(
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } }),
  );
  server.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: {} }));
  server.send(JSON.stringify({ jsonrpc: '2.0', id: 12345, result: {} }));
  assert.ok((await server.ask('tools/list')).result);
  for (const line of server.lines) assert.equal(JSON.parse(line).jsonrpc, '2.0');
});

test('a message that is too large ends the connection and the process', async () => {
  await using server = await startRaw(['--host', nowhere]);
  server.child.stdin?.on('error', () => {});
  server.send('x'.repeat(11 * 1024 * 1024));
  assert.equal(await server.ended, 0);
});

for (const [how, end] of [
  ['its input ends', (server: { child: { stdin: { end(): void } | null } }) => server.child.stdin?.end()],
  [
    'it is asked to stop',
    (server: { child: { kill(signal: 'SIGTERM'): void } }) => server.child.kill('SIGTERM'),
  ],
] as const) {
  test(`the process ends when ${how}`, async () => {
    await using server = await startRaw(['--host', nowhere]);
    end(server);
    assert.equal(await server.ended, 0);
  });
}

test('a client is connected to the built server', async (t) => {
  build('mcp');
  const started = performance.now();
  await using _session = await openSession({ host: nowhere, server: `${root}dist/mcp.js` });
  t.diagnostic(`connected after ${Math.round(performance.now() - started)} ms`);
});

test('where nobody chose an engine, one is started with the first call, and again when it is gone', async () => {
  build('engine');
  // Directories and network of its own, so that it is not this machine's engine; all ends with the session.
  const isolate =
    'for place in /run /var/lib; do mount -t tmpfs none "$place"; done; exec env -u BERTH_HOST -u DOCKER_HOST "$@"';
  const within = [
    ...['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'],
    'sh',
    '-ec',
    isolate,
    'sh',
  ];
  await using session = await openSession({ within });
  const inside = async (script: string) => {
    const child = (await readFile(`/proc/${session.pid}/task/${session.pid}/children`, 'utf8')).trim();
    const { stdout } = await promisify(execFile)('nsenter', ['-t', child, '-m', '-p', 'sh', '-ec', script]);
    return stdout.trim();
  };
  assert.match((await session.call('container_list')).text, /^no running containers/);
  const first = await inside('cat /run/berth/engine.pid; kill -9 $(cat /run/berth/engine.pid)');
  assert.equal((await session.call('image_list')).text, 'no images');
  assert.notEqual(await inside('cat /run/berth/engine.pid'), first);
});

test('--help says what there is', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
  assert.equal(status, 0);
  for (const flag of [
    '--host',
    '--read-only',
    '--toolsets',
    '--allow-remove-any',
    '--max-memory',
    '--max-cpus',
  ]) {
    assert.match(stdout, new RegExp(flag));
  }
});

for (const args of [
  ['--nonsense'],
  ['extra'],
  ['--host', 'ftp://x'],
  ['--max-cpus', 'many'],
  ['--max-memory', 'lots'],
  ['--toolsets', 'everything'],
  ['--host'],
]) {
  test(`berth mcp ${args.join(' ')} is refused with exit code 125, and nothing on stdout`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
      input: '',
    });
    assert.equal(stdout, '');
    assert.match(stderr, /^berth mcp: .*\(.*\)\n$/s);
    assert.equal(status, 125);
  });
}
