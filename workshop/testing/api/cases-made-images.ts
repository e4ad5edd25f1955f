import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarOf } from '../tar.ts';
import type { Case } from './case.ts';
import { make, ran, run } from './containers.ts';
import { ask, differs, type Subject } from './wire.ts';

/** Images made of containers and archives, their names and their histories. */

const refusal = {
  berth: 400,
  dockerd: 500,
  because: 'dockerd 20.10 calls a malformed name its own error; later ones answer 400',
} as const;

/** A name of a repository that nobody else has; what has it is removed at the end. */
function newName(subject: Subject): AsyncDisposable & { readonly name: string } {
  const name = `made-${randomBytes(4).toString('hex')}`;
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      const filters = encodeURIComponent(JSON.stringify({ reference: [name] }));
      const images = (await ask(subject, `GET /v1.41/images/json?filters=${filters}`)).json();
      for (const { RepoTags } of images)
        for (const tag of RepoTags) await ask(subject, `DELETE /v1.41/images/${tag}?force=1`);
    },
  };
}

async function commit(
  subject: Subject,
  query: Readonly<Record<string, string | readonly string[]>>,
  body?: object,
) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    for (const item of [value].flat()) search.append(key, item);
  return await ask(subject, `POST /v1.41/commit?${search}`, body === undefined ? {} : { body });
}

const inspect = async (subject: Subject, name: string) =>
  (await ask(subject, `GET /v1.41/images/${name}/json`)).json();

const history = async (subject: Subject, name: string) =>
  (await ask(subject, `GET /v1.41/images/${name}/history`)).json();

/** What a container of an image prints on its standard output; it must end with 0. */
async function printed(subject: Subject, Image: string, more: object): Promise<string> {
  await using made = await make(subject, [], { ...more, Image, Tty: true });
  await made.start();
  assert.equal(await made.ended(), 0);
  const logs = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1`);
  return logs.text.replaceAll('\r', '');
}

export const madeImageCases: Readonly<Record<string, Case>> = {
  'an image is shown, pushed and removed for its own platform, and for no other': async (subject) => {
    // dockerd 20.10 passes it over.
    if (subject.name === 'dockerd') return;
    await using image = newName(subject);
    const path = `/v1.47/images/${image.name}`;
    await ask(subject, `POST /v1.41/images/busybox/tag?repo=${image.name}`);
    const { Architecture, Id } = await inspect(subject, image.name);
    const inJson = (architecture: string) =>
      encodeURIComponent(JSON.stringify({ os: 'linux', architecture }));
    const questions = (platform: string) => [
      `GET ${path}/json?platform=${platform}`,
      `GET ${path}/history?platform=${platform}`,
      `POST ${path}/push?tag=latest&platform=${platform}`,
      `DELETE ${path}?platforms=${platform}`,
      `DELETE ${path}?force=1&platforms=${inJson(Architecture)}&platforms=${platform}`,
    ];
    for (const line of [...questions('linux/s390x'), ...questions(inJson('s390x'))]) {
      const { status, text } = await ask(subject, line);
      assert.match(text, /has no image for linux\/s390x/, line);
      assert.equal(status, 404, line);
    }
    const malformed = [
      ...[
        '{"os":',
        '{"os":"linux"}',
        '{"os":"linux","variant":"v8"}',
        '{"os":"linux","architecture":"arm64/v8"}',
      ],
      ...['{"architecture":"arm64","variant":"v8"}', '{"os":"linux","architecture":7}'],
    ];
    for (const wrong of ['a/b/c/d', ...malformed.map(encodeURIComponent)]) {
      for (const line of questions(wrong)) {
        const { status, text } = await ask(subject, line);
        assert.match(text, /invalid platform/, line);
        assert.equal(status, 400, line);
      }
    }
    assert.equal((await inspect(subject, image.name)).Id, Id, 'nothing was removed');
    for (const own of [`linux/${Architecture}`, inJson(Architecture)]) {
      assert.equal((await ask(subject, `GET ${path}/json?platform=${own}`)).json().Id, Id);
      assert.equal((await ask(subject, `GET ${path}/history?platform=${own}`)).json()[0].Id, Id);
    }
    const removed = await ask(subject, `DELETE ${path}?platforms=${inJson(Architecture)}`);
    assert.deepEqual(removed.json(), [{ Untagged: `${image.name}:latest` }]);
  },
  'an image of a container has what was added, and has not what was removed': async (subject) => {
    await using image = newName(subject);
    await using made = await ran(
      subject,
      `mkdir -p /n/sub; echo new >/n/f; ln /n/f /n/hard; ln -s f /n/link; chmod 4711 /n/f; chown 5:6 /n/link -h;
       rm /bin/acpid; rm -r /home; mkdir /home; echo in >/home/f; rm -r /var; chmod 700 /tmp`,
    );
    const answer = await commit(subject, { container: made.id, repo: image.name, tag: 'one' });
    assert.equal(answer.status, 201, answer.text);
    assert.match(answer.json().Id, /^sha256:[0-9a-f]{64}$/);
    const script = `cat /n/f /n/hard /n/link; stat -c '%a %u:%g' /n/f /n/link /tmp; ls /home; ls -d /var /bin/acpid 2>&1 | wc -l`;
    assert.equal(
      await printed(subject, `${image.name}:one`, { Cmd: ['sh', '-c', script] }),
      'new\nnew\nnew\n4711 0:0\n777 5:6\n700 0:0\nf\n2\n',
    );
  },

  'an image of a container says who made it of what: parent, author, comment, history': async (subject) => {
    await using image = newName(subject);
    await using made = await ran(subject, 'echo x >/x', { Labels: { tier: 'web' }, Env: ['A=1'] });
    const query = { container: made.name, repo: image.name, author: 'Ada', comment: 'as it was' };
    const { Id } = (await commit(subject, query)).json();
    const found = await inspect(subject, image.name);
    const parent = await inspect(subject, 'busybox');
    assert.deepEqual([found.Id, found.RepoTags], [Id, [`${image.name}:latest`]]);
    assert.deepEqual([found.Parent, found.Author, found.Comment], [parent.Id, 'Ada', 'as it was']);
    assert.deepEqual([found.Os, found.Architecture], [parent.Os, parent.Architecture]);
    assert.deepEqual(found.RootFS.Layers.slice(0, -1), parent.RootFS.Layers);
    assert.deepEqual([found.Config.Cmd, found.Config.Labels], [['sh', '-c', 'echo x >/x'], { tier: 'web' }]);
    assert.ok(found.Config.Env.includes('A=1'));
    const [newest, older, ...rest] = await history(subject, image.name);
    assert.deepEqual(rest, []);
    assert.deepEqual(
      [newest.Id, newest.Tags, newest.Comment, newest.CreatedBy, newest.Size],
      [Id, [`${image.name}:latest`], 'as it was', 'sh -c echo x >/x', 2],
    );
    assert.ok(Math.abs(newest.Created - Date.now() / 1000) < 60);
    assert.deepEqual([older.Id, older.Tags?.includes('busybox:latest')], [parent.Id, true]);
  },

  'a container that changed nothing makes an image without a layer of its own': async (subject) => {
    await using image = newName(subject);
    await using made = await make(subject, ['true']);
    await commit(subject, { container: made.id, repo: image.name, changes: ['LABEL made=now'] });
    const [found, parent] = [await inspect(subject, image.name), await inspect(subject, 'busybox')];
    assert.deepEqual(found.RootFS.Layers, parent.RootFS.Layers);
    assert.equal((await history(subject, image.name))[0].Size, 0);
  },

  'instructions change what an image says of its containers': async (subject) => {
    await using image = newName(subject);
    await using made = await make(subject, ['old'], { Env: ['A=old', 'KEPT=1'], Entrypoint: ['entry'] });
    const changes = [
      'ENV A=1 B="x y" C=$KEPT',
      'ENV D d e',
      'LABEL l=v "k k"=\'q\'',
      'EXPOSE 80 81/udp',
      'VOLUME /a /b',
      'WORKDIR /w',
      'WORKDIR sub',
      'USER me',
      'ONBUILD RUN x',
      'HEALTHCHECK --interval=5s --retries=2 CMD true x',
      'ENTRYPOINT ["a", "b"]',
      'cmd c $A',
    ];
    const answer = await commit(subject, { container: made.id, repo: image.name, changes });
    assert.equal(answer.status, 201, answer.text);
    const { Config } = await inspect(subject, image.name);
    const env = (Config.Env as string[]).filter((entry) => !entry.startsWith('PATH=')).toSorted();
    assert.deepEqual(env, ['A=1', 'B=x y', 'C=1', 'D=d e', 'KEPT=1']);
    assert.deepEqual(Config.Labels, { l: 'v', 'k k': 'q' });
    assert.deepEqual(Object.keys(Config.ExposedPorts).toSorted(), ['80/tcp', '81/udp']);
    assert.deepEqual(Object.keys(Config.Volumes).toSorted(), ['/a', '/b']);
    assert.deepEqual([Config.WorkingDir, Config.User, Config.OnBuild], ['/w/sub', 'me', ['RUN x']]);
    assert.deepEqual(
      [Config.Entrypoint, Config.Cmd],
      [
        ['a', 'b'],
        ['/bin/sh', '-c', 'c $A'],
      ],
    );
    assert.deepEqual(Config.Healthcheck.Test, ['CMD-SHELL', 'true x']);
    assert.deepEqual([Config.Healthcheck.Interval, Config.Healthcheck.Retries], [5e9, 2]);
  },

  'an image may be made with a config of its own, over the container’s': async (subject) => {
    await using image = newName(subject);
    await using made = await make(subject, ['old'], { Env: ['A=old', 'KEPT=1'], Labels: { own: '1' } });
    const body = { Cmd: ['new'], Env: ['A=new'], Labels: { more: '2' } };
    assert.equal((await commit(subject, { container: made.id, repo: image.name }, body)).status, 201);
    const { Config } = await inspect(subject, image.name);
    assert.deepEqual([Config.Cmd, Config.Labels], [['new'], { own: '1', more: '2' }]);
    assert.ok(['A=new', 'KEPT=1'].every((entry) => Config.Env.includes(entry)));
    assert.ok(!Config.Env.includes('A=old'));
  },

  'a running container stands still while an image is made of it, unless it shall not': async (subject) => {
    await using image = newName(subject);
    await using made = await run(subject, 'echo x >/x; sleep 1000');
    const since = Math.floor(Date.now() / 1000) - 1;
    for (const pause of ['1', '0']) {
      const answer = await commit(subject, { container: made.id, repo: image.name, pause, comment: 'c' });
      assert.equal(answer.status, 201, answer.text);
      assert.equal((await made.inspect()).State.Status, 'running');
    }
    const filters = encodeURIComponent(
      JSON.stringify({ container: [made.id], event: ['pause', 'unpause', 'commit'] }),
    );
    const until = Math.floor(Date.now() / 1000) + 1;
    const events = (
      await ask(subject, `GET /v1.41/events?since=${since}&until=${until}&filters=${filters}`)
    ).lines();
    const actions = events.map(({ Action }) => Action);
    assert.deepEqual(actions.toSorted(), ['commit', 'commit', 'pause', 'unpause']);
    const { Attributes } = events.find(({ Action }) => Action === 'commit').Actor;
    assert.deepEqual([Attributes.comment, Attributes.imageRef], ['c', image.name]);
    assert.match(Attributes.imageID, /^sha256:/);
  },

  'what no image can be made of is refused, and no image is left': async (subject) => {
    await using made = await make(subject, ['true']);
    assert.equal((await commit(subject, { container: 'no-such-one' })).status, 404);
    assert.equal((await commit(subject, {})).status, 400);
    const repo = await commit(subject, { container: made.id, repo: 'Upper' });
    assert.equal(repo.status, differs(subject, refusal));
    for (const change of [
      'RUN x',
      'ENV',
      'ENV x',
      'LABEL "open',
      'WORKDIR',
      'EXPOSE http',
      'HEALTHCHECK x',
      'ONBUILD FROM x',
    ]) {
      const answer = await commit(subject, { container: made.id, changes: change });
      assert.ok(
        [400, differs(subject, { berth: 400, dockerd: 500, because: refusal.because })].includes(
          answer.status,
        ),
        change,
      );
    }
    assert.match(
      (await commit(subject, { container: made.id, changes: 'RUN x' })).json().message,
      /run is not a valid change command/,
    );
  },

  'an archive becomes an image, compressed or not, with a name, a comment and instructions': async (
    subject,
  ) => {
    await using image = newName(subject);
    const tar = tarOf([
      { name: 'd/', type: 'directory' },
      { name: 'd/f', content: 'hello' },
    ]);
    for (const [tag, body] of [
      ['plain', tar],
      ['gz', gzipSync(tar)],
    ] as const) {
      const query = `fromSrc=-&repo=${image.name}&tag=${tag}&message=note&changes=${encodeURIComponent('CMD ["x"]')}`;
      const answer = await ask(subject, `POST /v1.41/images/create?${query}`, { body });
      assert.equal(answer.status, 200, answer.text);
      const { status } = answer.lines().at(-1);
      const found = await inspect(subject, `${image.name}:${tag}`);
      assert.deepEqual([found.Id, found.Comment, found.Config.Cmd], [status, 'note', ['x']]);
      assert.deepEqual([found.Parent, found.RootFS.Layers.length, found.Size], ['', 1, 5]);
      assert.equal((await history(subject, `${image.name}:${tag}`))[0].Comment, 'note');
    }
  },

  'what a container exports can be imported and run': async (subject) => {
    await using image = newName(subject);
    await using made = await ran(subject, 'echo from-export >/note');
    const { bytes } = await ask(subject, `GET /v1.41/containers/${made.id}/export`);
    const answer = await ask(subject, `POST /v1.41/images/create?fromSrc=-&repo=${image.name}`, {
      body: bytes,
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(await printed(subject, image.name, { Cmd: ['cat', '/note'] }), 'from-export\n');
  },

  'an import is refused for a bad name, a bad instruction, and what is no archive': async (subject) => {
    const body = tarOf([{ name: 'f' }]);
    const create = async (query: string, sent: Buffer) =>
      (await ask(subject, `POST /v1.41/images/create?${query}`, { body: sent })).status;
    assert.equal(await create('fromSrc=-&repo=Upper', body), 400);
    assert.equal(await create(`fromSrc=-&changes=${encodeURIComponent('RUN x')}`, body), 400);
    const junk = await create(
      'fromSrc=-',
      Buffer.from('this is no archive, and long enough to be looked at'.repeat(20)),
    );
    assert.equal(junk, differs(subject, { berth: 400, dockerd: 500, because: refusal.because }));
    const url = await create('fromSrc=http://127.0.0.1:1/x.tar', body);
    assert.equal(url, differs(subject, { berth: 501, dockerd: 500, because: 'berth reads the body alone' }));
  },

  'an image gets other names, which are its own until it is removed by them': async (subject) => {
    await using image = newName(subject);
    const tag = async (name: string, query: string) =>
      (await ask(subject, `POST /v1.41/images/${name}/tag?${query}`)).status;
    assert.equal(await tag('busybox', `repo=${image.name}&tag=v1`), 201);
    assert.equal(await tag(`${image.name}:v1`, `repo=${image.name}`), 201);
    assert.equal(await tag('busybox', `repo=${image.name}:v2&tag=v3`), 201);
    const { Id, RepoTags } = await inspect(subject, 'busybox');
    const own = (RepoTags as string[]).filter((name) => name.startsWith(image.name));
    assert.deepEqual(own.toSorted(), [`${image.name}:latest`, `${image.name}:v1`, `${image.name}:v3`]);
    assert.equal((await inspect(subject, `${image.name}:v3`)).Id, Id);
    assert.equal(await tag('no-such-image', `repo=${image.name}`), 404);
    for (const query of ['repo=Upper', `repo=${image.name}&tag=-bad`, ''])
      assert.equal(await tag('busybox', query), differs(subject, refusal));
    assert.equal((await ask(subject, 'GET /v1.41/images/no-such-image/history')).status, 404);
  },
};
