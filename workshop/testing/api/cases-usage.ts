import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import type { Case } from './case.ts';
import { make, NETWORKED, ran, run } from './containers.ts';
import { assertFits } from './fits.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

/** An open stream of JSON lines, one at a time. */
async function openLines(subject: Subject, path: string) {
  const sent = request({ socketPath: subject.socketPath, path, agent: false });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject).end();
  });
  async function* lines(): AsyncGenerator<Loose> {
    let text = '';
    for await (const chunk of answer) {
      text += String(chunk);
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        yield JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
      }
    }
  }
  return { lines: lines(), [Symbol.dispose]: () => void sent.destroy() };
}

async function next(lines: AsyncGenerator<Loose>): Promise<Loose> {
  const { value, done } = await lines.next();
  assert.ok(!done, 'the stream ended');
  return value;
}

const NEVER = '0001-01-01T00:00:00Z';
/** Something is written to the disk as well: an image that was read before needs none of it. */
const BUSY = 'dd if=/dev/zero of=/written bs=4096 count=1 conv=fsync; while :; do :; done';

export const usageCases: Readonly<Record<string, Case>> = {
  'stats say what a container uses, compared with a second before': async (subject) => {
    const limits = { ...NETWORKED, HostConfig: { Memory: 64 * 2 ** 20, NanoCpus: 2e8, PidsLimit: 50 } };
    await using made = await run(subject, BUSY, limits);
    const { status, headers, json } = await ask(subject, `GET /v1.41/containers/${made.id}/stats?stream=0`);
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    const stats = json();
    assert.deepEqual([stats.id, stats.name], [made.id, `/${made.name}`]);
    assert.ok(Date.parse(stats.read) - Date.parse(stats.preread) > 500, `${stats.preread} ${stats.read}`);
    const { cpu_stats: now, precpu_stats: before } = stats;
    const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
    const given = now.system_cpu_usage - before.system_cpu_usage;
    assert.ok(used > 0 && given > used, `${used} of ${given}`);
    assert.ok(now.cpu_usage.usage_in_usermode + now.cpu_usage.usage_in_kernelmode > 0);
    assert.ok(now.online_cpus >= 1);
    assertFits(before, {
      online_cpus: now.online_cpus,
      cpu_usage: { usage_in_usermode: Number, usage_in_kernelmode: Number },
      throttling_data: { periods: Number, throttled_periods: Number, throttled_time: Number },
    });
    // What cgroup v1 counts too.
    for (const { cpu_usage } of [now, before])
      assert.equal(cpu_usage.percpu_usage?.length, cpu_usage.percpu_usage && now.online_cpus);
    // On a busy machine it may never get as far as its limit.
    const { periods, throttled_periods, throttled_time } = now.throttling_data;
    assert.ok(periods > 0 && throttled_periods <= periods && throttled_time >= 0);
    const memory = stats.memory_stats;
    assert.equal(memory.limit, 64 * 2 ** 20);
    assert.ok(memory.usage > 0 && memory.usage < memory.limit);
    assert.ok(memory.max_usage === undefined || memory.max_usage >= 0);
    assert.ok('total_inactive_file' in memory.stats || 'inactive_file' in memory.stats);
    assert.deepEqual(stats.pids_stats, { current: 1, limit: 50 });
    assert.deepEqual([stats.num_procs, stats.storage_stats], [0, {}]);
    const { io_service_bytes_recursive: transferred, io_serviced_recursive: served } = stats.blkio_stats;
    assert.ok(Array.isArray(transferred) && (served == null || Array.isArray(served)));
    assert.deepEqual(Object.keys(stats.networks), ['eth0']);
    assert.deepEqual(Object.keys(stats.networks.eth0).sort(), [
      ...['rx_bytes', 'rx_dropped', 'rx_errors', 'rx_packets'],
      ...['tx_bytes', 'tx_dropped', 'tx_errors', 'tx_packets'],
    ]);
  },
  'stats at once are compared with nothing': async (subject) => {
    await using made = await run(subject, 'sleep 60', { HostConfig: { NetworkMode: 'none' } });
    const stats = (await ask(subject, `GET /v1.41/containers/${made.id}/stats?stream=0&one-shot=1`)).json();
    assert.equal(stats.preread, NEVER);
    assert.equal(stats.precpu_stats.cpu_usage.total_usage, 0);
    assert.ok(!('system_cpu_usage' in stats.precpu_stats));
    assert.ok(stats.cpu_stats.cpu_usage.total_usage > 0);
    assert.ok(stats.memory_stats.limit > 2 ** 26, "the machine's memory where there is no limit");
    assert.ok(!('networks' in stats), 'no interface of its own');
    const both = await ask(subject, `GET /v1.41/containers/${made.id}/stats?one-shot=1`);
    assert.deepEqual([both.status, both.json().message], [400, 'cannot have stream=true and one-shot=true']);
  },
  'stats of a container that does not run are an empty record': async (subject) => {
    await using made = await ran(subject, 'true');
    for (const query of ['stream=0', 'stream=0&one-shot=1']) {
      const stats = (await ask(subject, `GET /v1.41/containers/${made.id}/stats?${query}`)).json();
      const cpu = {
        cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
        throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
      };
      const none = [
        ...['io_service_bytes_recursive', 'io_serviced_recursive', 'io_queue_recursive'],
        ...['io_service_time_recursive', 'io_wait_time_recursive', 'io_merged_recursive'],
        ...['io_time_recursive', 'sectors_recursive'],
      ];
      assert.deepEqual(stats, {
        read: NEVER,
        preread: NEVER,
        pids_stats: {},
        blkio_stats: Object.fromEntries(none.map((name) => [name, null])),
        num_procs: 0,
        storage_stats: {},
        cpu_stats: cpu,
        precpu_stats: cpu,
        memory_stats: {},
        name: `/${made.name}`,
        id: made.id,
      });
    }
    assert.equal((await ask(subject, 'GET /v1.41/containers/nobody/stats')).status, 404);
  },
  'a stream of stats goes on over the end and the next start, and ends when the container is removed': async (
    subject,
  ) => {
    await using made = await run(subject, 'read line', { OpenStdin: true });
    using stream = await openLines(subject, `/v1.41/containers/${made.id}/stats`);
    const first = await next(stream.lines);
    assert.equal(first.preread, NEVER);
    assert.ok(first.cpu_stats.cpu_usage.total_usage > 0);
    const second = await next(stream.lines);
    assert.deepEqual([second.preread, second.precpu_stats], [first.read, first.cpu_stats]);
    await ask(subject, `POST /v1.41/containers/${made.id}/kill`);
    let stats = await next(stream.lines);
    while (stats.read !== NEVER) stats = await next(stream.lines);
    assert.deepEqual(stats.memory_stats, {});
    await made.start();
    while (stats.read === NEVER) stats = await next(stream.lines);
    assert.ok(stats.memory_stats.usage > 0);
    await ask(subject, `DELETE /v1.41/containers/${made.id}?force=1`);
    for await (const _last of stream.lines);
  },

  'top lists the processes of the container alone, with the titles that ps gives': async (subject) => {
    await using made = await run(subject, 'sleep 60 & wait');
    const top = async (args?: string) => {
      const query = args === undefined ? '' : `?ps_args=${encodeURIComponent(args)}`;
      const { status, json } = await ask(subject, `GET /v1.41/containers/${made.id}/top${query}`);
      return { status, ...json() };
    };
    const commandsOf = ({ Processes }: Loose) =>
      Processes.map((cells: readonly string[]) => cells.at(-1)).sort();
    let plain = await top();
    // The shell may not have come that far, or be about to become what it runs.
    for (let turn = 0; turn < 100 && !commandsOf(plain).includes('sleep 60'); turn++) plain = await top();
    assert.deepEqual(plain.Titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    const commands = commandsOf(plain);
    assert.deepEqual(commands, ['sh -c sleep 60 & wait', 'sleep 60']);
    for (const cells of plain.Processes) assert.equal(cells.length, 8);
    assert.deepEqual((await top('aux')).Titles.slice(0, 2), ['USER', 'PID']);
    const narrow = await top('-o pid,args');
    assert.deepEqual(narrow.Titles, ['PID', 'COMMAND']);
    assert.equal(narrow.Processes.length, 2);
    const none = await top('-q 1');
    assert.deepEqual([none.status, none.Processes], [200, null]);
  },
  'top refuses options that ps refuses, or that hide or forge the pid': async (subject) => {
    await using made = await run(subject, 'sleep 60');
    const wrong = [
      ['-o cmd', /^Couldn't find PID field in ps output$/],
      ['bogus', /^ps: error: unsupported option/],
      ['-eo pid,comm;ls', /^ps: error: unknown user-defined format/],
      ['-o pid=OTHER -o ppid=PID', /^specifying "ppid=PID" is not allowed$/],
    ] as const;
    const expected = differs(subject, {
      berth: 400,
      dockerd: 500,
      because: 'dockerd calls all of them its own errors',
    });
    for (const [args, words] of wrong) {
      const query = `ps_args=${encodeURIComponent(args)}`;
      const { status, json } = await ask(subject, `GET /v1.41/containers/${made.id}/top?${query}`);
      assert.equal(status, expected, args);
      assert.match(json().message, words);
    }
  },
  'top of a container that does not run is a conflict': async (subject) => {
    await using made = await make(subject, ['true']);
    const { status, json } = await ask(subject, `GET /v1.41/containers/${made.id}/top`);
    assert.equal(status, 409);
    assert.match(json().message, /^Container [0-9a-f]{64} is not running$/i);
    assert.equal((await ask(subject, 'GET /v1.41/containers/nobody/top')).status, 404);
  },
};
