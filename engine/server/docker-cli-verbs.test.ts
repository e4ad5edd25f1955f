import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import test, { after, before, describe } from 'node:test';
import { type DockerCli, dockerCliMissing, openDockerCli } from '../../workshop/testing/docker-cli.ts';
import { type TempRoot, tempRoot } from '../../workshop/testing/temp.ts';

/** The docker CLI on this engine: a case for each verb that looks into a container, changes it or counts things. */

type Harbour = DockerCli & { readonly root: TempRoot };

const cases: Readonly<Record<string, (cli: Harbour) => Promise<void>>> = {
  'exec runs a command: output, input, exit code, environment, directory and user': async ({
    running,
    docker,
    said,
    fed,
  }) => {
    await using _made = await running('verb-exec', 'sleep', '60');
    const options = ['-e', 'TIER=web', '-w', '/tmp', '-u', '1000'];
    const script = 'echo "$TIER $PWD $(id -u)"; echo oops >&2; exit 4';
    assert.deepEqual(await docker('exec', ...options, 'verb-exec', 'sh', '-c', script), {
      exitCode: 4,
      stdout: 'web /tmp 1000',
      stderr: 'oops',
    });
    assert.equal((await fed('b\na\n', 'exec', '-i', 'verb-exec', 'sort')).stdout, 'a\nb');
    assert.equal(await said('exec', '-d', 'verb-exec', 'touch', '/tmp/made'), '');
    assert.equal((await docker('exec', 'verb-exec', 'no-such-program')).exitCode, 127);
    const stopped = await docker('exec', 'nobody', 'true');
    assert.match(stopped.stderr, /No such container: nobody/);
  },
  'exec -it is a terminal': async ({ running, terminal }) => {
    await using _made = await running('verb-tty', 'sleep', '60');
    await using screen = await terminal('exec', '-it', 'verb-tty', 'sh');
    await screen.waitFor('/ #');
    screen.send('tty; stty size\r');
    await screen.waitFor(/\/dev\/pts\/\d+\s+40 120/);
    screen.send('exit 9\r');
    assert.equal((await screen.exited).exitCode, 9);
  },
  'cp carries files and directories both ways, and to standard output': async ({ running, said, root }) => {
    await using _made = await running('verb-cp', 'sleep', '60');
    const directory = await root.directory('cp', 'inner');
    await writeFile(`${directory}/note`, 'ahoy\n');
    await said('cp', root.join('cp'), 'verb-cp:/tmp');
    assert.equal(await said('exec', 'verb-cp', 'cat', '/tmp/cp/inner/note'), 'ahoy');
    await said('cp', 'verb-cp:/tmp/cp/inner/note', root.join('back'));
    assert.match(await said('cp', 'verb-cp:/tmp/cp', '-'), /inner\/note[^]*ahoy/);
  },
  'stats show a line for each running container': async ({ running, said }) => {
    await using _made = await running('verb-stats', 'sleep', '60');
    const format = '{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.PIDs}}';
    const line = await said('stats', '--no-stream', '--format', format, 'verb-stats');
    assert.match(line, /^verb-stats\|[\d.]+%\|[\d.]+[KM]?i?B \/ [\d.]+GiB\|1$/);
  },
  'top lists processes, with the columns that ps is asked for': async ({ running, said }) => {
    await using _made = await running('verb-top', 'sleep', '60');
    assert.match(await said('top', 'verb-top'), /^UID +PID +PPID .* CMD\n\S+ .* sleep 60$/);
    assert.match(await said('top', 'verb-top', '-eo', 'pid,args'), /^PID +COMMAND\n\d+ +sleep 60$/);
  },
  'diff lists what was added, changed and deleted': async ({ running, said }) => {
    await using _made = await running('verb-diff', 'sh', '-c', 'touch /tmp/a; rm /bin/sort; sleep 60');
    // What it does at first is done a moment after it began.
    let lines: string[] = [];
    for (let tries = 0; tries < 50 && !lines.includes('D /bin/sort'); tries += 1)
      lines = (await said('diff', 'verb-diff')).split('\n');
    for (const line of ['C /tmp', 'A /tmp/a', 'C /bin', 'D /bin/sort']) assert.ok(lines.includes(line), line);
  },
  'commit makes an image, with its changes of the configuration': async ({ said }) => {
    await said('run', '--name', 'verb-commit', 'busybox', 'sh', '-c', 'echo made > /tmp/made');
    const id = await said(
      ...['commit', '-m', 'as it was', '-a', 'skipper', '-c', 'CMD ["cat", "/tmp/made"]'],
      ...['verb-commit', 'verb/committed:v1'],
    );
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    assert.equal(await said('run', '--rm', 'verb/committed:v1'), 'made');
    assert.equal(
      await said('inspect', '-f', '{{.Author}} {{.Comment}}', 'verb/committed:v1'),
      'skipper as it was',
    );
    await said('rm', 'verb-commit');
    assert.match(await said('rmi', 'verb/committed:v1'), /Untagged: verb\/committed:v1\n(Deleted: .*\n?)+/);
  },
  'export writes a whole file system, and import makes an image of it': async ({ said, root }) => {
    await said('create', '--name', 'verb-export', 'busybox', 'true');
    await said('export', '-o', root.join('export.tar'), 'verb-export');
    await said('import', '-c', 'CMD ["echo", "imported"]', root.join('export.tar'), 'verb/imported:v1');
    assert.equal(await said('run', '--rm', 'verb/imported:v1'), 'imported');
    await said('rm', 'verb-export');
    await said('rmi', 'verb/imported:v1');
  },
  'rename gives it another name': async ({ docker, said }) => {
    const id = await said('create', '--name', 'verb-rename', 'busybox', 'true');
    await said('rename', 'verb-rename', 'verb-renamed');
    assert.equal(await said('inspect', '-f', '{{.Id}}', 'verb-renamed'), id);
    assert.equal((await docker('inspect', 'verb-rename')).exitCode, 1);
    await said('rm', 'verb-renamed');
  },
  'update changes limits and the restart policy': async ({ running, said }) => {
    await using _made = await running('verb-update', 'sleep', '60');
    const limits = ['--memory', '64m', '--memory-swap', '-1', '--cpu-shares', '512', '--pids-limit', '20'];
    assert.equal(await said('update', ...limits, '--restart', 'on-failure:3', 'verb-update'), 'verb-update');
    const policy = '{{.RestartPolicy.Name}} {{.RestartPolicy.MaximumRetryCount}}';
    const format = `{{with .HostConfig}}{{.Memory}} {{.CpuShares}} {{.PidsLimit}} ${policy}{{end}}`;
    assert.equal(await said('inspect', '-f', format, 'verb-update'), '67108864 512 20 on-failure 3');
  },
  'pause and unpause hold it still': async ({ running, docker, said }) => {
    await using _made = await running('verb-pause', 'sleep', '60');
    assert.equal(await said('pause', 'verb-pause'), 'verb-pause');
    assert.match(await said('ps', '--filter', 'name=verb-pause', '--format', '{{.Status}}'), /\(Paused\)$/);
    assert.match((await docker('exec', 'verb-pause', 'true')).stderr, /paused|not served/);
    assert.equal(await said('unpause', 'verb-pause'), 'verb-pause');
    assert.equal(await said('inspect', '-f', '{{.State.Status}}', 'verb-pause'), 'running');
  },
  'port says nothing of a container that publishes none': async ({ running, said, docker }) => {
    await using _made = await running('verb-port', 'sleep', '60');
    assert.equal(await said('port', 'verb-port'), '');
    const { exitCode, stderr } = await docker('port', 'verb-port', '80');
    assert.equal(exitCode, 1);
    assert.match(stderr, /No public port '80.*' published for verb-port/);
  },
  'container prune removes what ended, as far as its filters go': async ({ docker, said }) => {
    const id = await said('create', '--label', 'verb=prune', 'busybox', 'true');
    const pruned = await said('container', 'prune', '-f', '--filter', 'label=verb=prune');
    assert.match(pruned, new RegExp(`^Deleted Containers:\\n${id}\\n\\nTotal reclaimed space: 0B$`));
    assert.equal((await docker('inspect', id)).exitCode, 1);
  },
  'ps shows sizes, filters, and its columns in a format': async ({ running, said }) => {
    await using made = await running('verb-ps', 'sh', '-c', 'echo x > /tmp/x; sleep 60');
    const list = (...more: readonly string[]) => said('ps', '--filter', 'name=^/verb-ps$', ...more);
    assert.equal(await list('-q', '--no-trunc'), made.id);
    assert.match(await list('-s', '--format', '{{.Size}}'), /^\d+(\.\d+)?[kM]?B \(virtual [\d.]+MB\)$/);
    assert.equal(await list('--filter', 'status=exited', '-q'), '');
    assert.equal(JSON.parse(await list('--format', 'json')).State, 'running');
  },
  'run passes its flags on': async ({ said }) => {
    const script =
      'ulimit -n; grep -c /scratch /proc/mounts; cat /proc/sys/net/ipv4/ip_default_ttl; df -k /dev/shm | tail -1; touch /x';
    const shown = await said(
      ...['run', '--rm', '--name', 'verb-flags', '--read-only', '--tmpfs', '/scratch:size=1m', '--init'],
      ...['--ulimit', 'nofile=200:200', '--sysctl', 'net.ipv4.ip_default_ttl=77', '--shm-size', '2m'],
      ...['--cap-drop', 'ALL', '--cap-add', 'CHOWN', '--security-opt', 'no-new-privileges'],
      ...[
        '--memory',
        '64m',
        '--cpus',
        '0.5',
        '--pids-limit',
        '50',
        '--group-add',
        '7',
        '--oom-score-adj',
        '100',
      ],
      ...['busybox', 'sh', '-c', `${script} 2>/dev/null || echo read-only`],
    );
    assert.match(shown, /^200\n1\n77\n\S+ +2048 [^\n]*\nread-only$/);
  },
  'a health check is watched': async ({ said, docker }) => {
    await said(
      ...['run', '-d', '--name', 'verb-health', '--health-cmd', 'test -e /tmp/well'],
      ...['--health-interval', '200ms', 'busybox', 'sh', '-c', 'touch /tmp/well; sleep 60'],
    );
    let status = '';
    for (let tries = 0; tries < 100 && status !== 'healthy'; tries += 1)
      status = await said('inspect', '-f', '{{.State.Health.Status}}', 'verb-health');
    assert.equal(status, 'healthy');
    assert.match(await said('ps', '--filter', 'name=verb-health', '--format', '{{.Status}}'), /\(healthy\)$/);
    await docker('rm', '-f', 'verb-health');
  },
  'tag and history of an image': async ({ said }) => {
    await said('tag', 'busybox', 'verb/tagged:v1');
    const id = await said('images', '-q', '--no-trunc', 'busybox');
    assert.equal(await said('images', '-q', '--no-trunc', 'verb/tagged:v1'), id);
    assert.match(await said('history', 'verb/tagged:v1'), /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/);
    assert.equal(await said('rmi', 'verb/tagged:v1'), 'Untagged: verb/tagged:v1');
  },
  'image prune leaves what has a name': async ({ said }) => {
    assert.match(await said('image', 'prune', '-f'), /Total reclaimed space: 0B$/);
    assert.match(await said('images', '-q', 'busybox'), /^[0-9a-f]{12}$/);
  },
  'system df counts images and containers, and each of them with -v': async ({ running, said }) => {
    await using _made = await running('verb-df', 'sleep', '60');
    const table = await said('system', 'df');
    assert.match(table, /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +\d+ +\d+ +[\d.]+MB/);
    assert.match(table, /\nContainers +\d+ +\d+ +[\d.]+k?B/);
    assert.match(await said('system', 'df', '-v'), /verb-df/);
  },
  'system prune takes what nobody uses': async ({ said }) => {
    const id = await said('create', '--label', 'verb=system', 'busybox', 'true');
    const pruned = await said('system', 'prune', '-f', '--filter', 'label=verb=system');
    assert.match(pruned, new RegExp(`Deleted Containers:\\n${id}`));
  },
  'system events and info are events and info': async ({ said }) => {
    assert.equal(await said('system', 'events', '--since', '1', '--until', '2'), '');
    assert.match(await said('system', 'info', '--format', '{{.ServerVersion}} {{.OSType}}'), /^\d.* linux$/);
  },
};

describe('docker CLI verbs', { concurrency: 4, skip: dockerCliMissing }, () => {
  const stack = new AsyncDisposableStack();
  const opened = Promise.withResolvers<Harbour>();
  before(async () => {
    const root = stack.use(await tempRoot('docker-cli'));
    const cli = stack.use(await openDockerCli());
    opened.resolve({ ...cli, root });
  });
  after(() => stack.disposeAsync());
  for (const [title, check] of Object.entries(cases)) {
    test(title, { timeout: 90_000 }, async () => check(await opened.promise));
  }
});
