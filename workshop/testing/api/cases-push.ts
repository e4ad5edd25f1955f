import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { registryHeader } from './registry-header.ts';
import { ask, differs, type Subject } from './wire.ts';

/** It may be there already, since another case pushes the same layer. */
const SENT = /^(Pushed|Mounted from .*)$/;
const nobody = { headers: registryHeader({}) };

/** Gives the engine's busybox another name, which goes when it is disposed of. */
async function named(subject: Subject, repo: string, tag: string): Promise<AsyncDisposable> {
  const { status } = await ask(subject, `POST /v1.41/images/busybox/tag?repo=${repo}&tag=${tag}`);
  assert.equal(status, 201);
  return {
    [Symbol.asyncDispose]: async () => void (await ask(subject, `DELETE /v1.41/images/${repo}:${tag}`)),
  };
}

/** As clients say it: dockerd 20.10 passes it over. */
async function ownPlatform(subject: Subject): Promise<string> {
  const { Architecture: architecture } = (await ask(subject, 'GET /v1.41/images/busybox/json')).json();
  return encodeURIComponent(JSON.stringify({ os: 'linux', architecture }));
}

export const pushCases: Readonly<Record<string, Case>> = {
  'a push tells its progress, then the digest, and a second one sends nothing': async (
    subject,
    { registry },
  ) => {
    const repo = `${registry}/pushed/${subject.name}`;
    await using _name = await named(subject, repo, '1');
    const line = `POST /v1.41/images/${repo}/push?tag=1`;
    const first = await ask(subject, line, nobody);
    assert.equal(first.status, 200);
    assert.match(String(first.headers['content-type']), /^application\/json/);
    const lines = first.lines();
    assert.equal(lines[0].status, `The push refers to repository [${repo}]`);
    assert.ok(lines.some(({ status, id }) => status === 'Preparing' && /^[0-9a-f]{12}$/.test(id)));
    assert.ok(lines.some(({ status, id }) => SENT.test(status) && /^[0-9a-f]{12}$/.test(id)));
    const { aux, progressDetail } = lines.at(-1);
    assert.deepEqual(progressDetail, {});
    assert.equal(aux.Tag, '1');
    assert.match(aux.Digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(lines.at(-2).status, `1: digest: ${aux.Digest} size: ${aux.Size}`);
    const again = (await ask(subject, `${line}&platform=${await ownPlatform(subject)}`, nobody)).lines();
    assert.ok(again.some(({ status }) => status === 'Layer already exists'));
    assert.equal(again.at(-1).aux.Digest, aux.Digest);
    const image = (await ask(subject, `GET /v1.41/images/${repo}:1/json`)).json();
    assert.ok(image.RepoDigests.includes(`${repo}@${aux.Digest}`));
    // In another repository of that registry it is shared.
    await using _other = await named(subject, `${repo}-other`, '1');
    const other = (await ask(subject, `POST /v1.41/images/${repo}-other/push?tag=1`, nobody)).lines();
    assert.ok(other.some(({ status }) => /^Mounted from \w+\//.test(status)));
  },
  'a push without a tag is one of all tags': async (subject, { registry }) => {
    const repo = `${registry}/all/${subject.name}`;
    await using _a = await named(subject, repo, 'a');
    await using _b = await named(subject, repo, 'b');
    const lines = (await ask(subject, `POST /v1.41/images/${repo}/push`, nobody)).lines();
    assert.deepEqual(lines.flatMap(({ aux }) => (aux === undefined ? [] : [aux.Tag])).toSorted(), ['a', 'b']);
  },
  'a push of what there is not says so in the stream': async (subject, { registry }) => {
    const none = await ask(subject, `POST /v1.41/images/${registry}/nobody/push?tag=1`, nobody);
    assert.equal(none.status, 200);
    const message = `An image does not exist locally with the tag: ${registry}/nobody`;
    assert.equal(none.lines().at(-1).error, message);
    assert.equal(none.lines().at(-1).errorDetail.message, message);
    const repo = `${registry}/untagged/${subject.name}`;
    await using _name = await named(subject, repo, '1');
    const tagless = await ask(subject, `POST /v1.41/images/${repo}/push?tag=2`, nobody);
    assert.equal(tagless.lines().at(-1).error, `tag does not exist: ${repo}:2`);
    const malformed = await ask(subject, 'POST /v1.41/images/UPPER/push', nobody);
    assert.equal(
      malformed.status,
      differs(subject, {
        berth: 400,
        dockerd: 500,
        because: 'a name that is none is for the client to mend',
      }),
    );
  },
  'a push is for those who may: credentials come with it': async (subject, { locked }) => {
    const { host, username, password } = locked;
    const repo = `${host}/pushed/${subject.name}`;
    await using _name = await named(subject, repo, '1');
    const line = `POST /v1.41/images/${repo}/push?tag=1`;
    const without = (await ask(subject, line, nobody)).lines().at(-1);
    assert.match(
      without.error,
      differs(subject, {
        berth: /denied: it does not exist, or .* wants a login/,
        dockerd: /no basic auth credentials/,
        because: 'the message says what to do',
      }),
    );
    const wrong = { headers: registryHeader({ username, password: 'wrong' }) };
    const refused = (await ask(subject, line, wrong)).lines().at(-1);
    assert.equal(typeof refused.error, 'string');
    assert.doesNotMatch(refused.error, /wrong/);
    const right = await ask(subject, line, { headers: registryHeader({ username, password }) });
    assert.equal(right.lines().at(-1).aux.Tag, '1');
  },
};
