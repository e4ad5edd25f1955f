import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { ask, differs } from './wire.ts';

export const loginCases: Readonly<Record<string, Case>> = {
  'a login is shown to its registry, which takes it or not': async (subject, { locked, registry }) => {
    const { host, username, password } = locked;
    const right = await ask(subject, 'POST /v1.41/auth', {
      body: { username, password, email: '', serveraddress: host },
    });
    assert.equal(right.status, 200, right.text);
    assert.deepEqual(right.json(), { Status: 'Login Succeeded', IdentityToken: '' });
    const wrong = await ask(subject, 'POST /v1.41/auth', {
      body: { username, password: 'not-sesame', serveraddress: host },
    });
    assert.equal(
      wrong.status,
      differs(subject, { berth: 401, dockerd: 500, because: 'a wrong password is no fault of the engine' }),
      wrong.text,
    );
    assert.doesNotMatch(wrong.text, /not-sesame/);
    const nobody = await ask(subject, 'POST /v1.41/auth', { body: { serveraddress: host } });
    assert.equal(
      nobody.status,
      differs(subject, { berth: 401, dockerd: 500, because: 'who shows nothing is refused like another' }),
      nobody.text,
    );
    // One that asks for nothing.
    const open = await ask(subject, 'POST /v1.41/auth', {
      body: { username, password, serveraddress: registry },
    });
    assert.equal(open.status, 200, open.text);
    assert.equal(open.json().Status, 'Login Succeeded');
  },
  'a login where nobody listens, or with no JSON, fails': async (subject) => {
    const nowhere = await ask(subject, 'POST /v1.41/auth', {
      body: { username: 'ada', password: 'sesame', serveraddress: '127.0.0.1:1' },
    });
    assert.equal(
      nowhere.status,
      differs(subject, { berth: 503, dockerd: 500, because: 'that the registry is away is no fault here' }),
    );
    assert.match(nowhere.json().message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(nowhere.text, /sesame/);
    const broken = await ask(subject, 'POST /v1.41/auth', {
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(
      broken.status,
      differs(subject, {
        berth: 400,
        dockerd: 500,
        because: 'a body that is no JSON is for the client to mend',
      }),
      broken.text,
    );
  },
};
