import { Refusal } from '../images/hosted/error.ts';
import { readDigest } from './blobs.ts';
import type { Answer, Ask, RegistryParts } from './exchange.ts';
import { repositoryOf } from './names.ts';
import { checkContentRange } from './range.ts';
import type { Upload } from './uploads.ts';

/** Pushing blobs: OCI distribution spec v1.1, "Pushing blobs". */

type Place = { readonly path: string; readonly repository: string };

/** `POST /v2/NAME/blobs/uploads/`: begins an upload, has all of it in one, or takes a blob over from elsewhere. */
export async function beginUpload(parts: RegistryParts, ask: Ask, place: Place): Promise<Answer> {
  const { hosted, uploads } = parts;
  const [mount, from, digest] = ['mount', 'from', 'digest'].map((key) => ask.query.get(key) ?? '');
  if (mount) {
    const wanted = readDigest(mount);
    if (from && (await hosted.mountBlob(place.repository, wanted, repositoryOf(from))))
      return created(place, wanted);
  }
  const whole = digest ? readDigest(digest) : undefined;
  const upload = uploads.begin(place.repository);
  if (whole === undefined) return progress(place, upload, 202);
  try {
    return await finish(parts, { ask, place, upload, digest: whole });
  } catch (error) {
    // Nobody knows of it, so that nobody could go on with it.
    await upload.cancel();
    throw error;
  }
}

/** `GET`, `PATCH`, `PUT` and `DELETE /v2/NAME/blobs/uploads/ID`. */
export async function answerUpload(
  parts: RegistryParts,
  ask: Ask,
  place: Place & { readonly id: string },
): Promise<Answer> {
  const upload = parts.uploads.find(place.repository, place.id);
  switch (ask.method) {
    case 'GET':
      return progress(place, upload, 204);
    case 'PATCH':
      checkContentRange(ask.headers, upload.sizeBytes);
      await upload.write(ask.body);
      return progress(place, upload, 202);
    case 'DELETE':
      await upload.cancel();
      return { status: 204 };
    default: {
      const digest = ask.query.get('digest');
      if (digest === null) throw new Refusal('DIGEST_INVALID', 'an upload ends with ?digest=sha256:…');
      checkContentRange(ask.headers, upload.sizeBytes);
      return await finish(parts, { ask, place, upload, digest });
    }
  }
}

/** Takes the last part in. A wrong digest ends the upload; a client that goes away in the middle does not. */
async function finish(
  { hosted }: RegistryParts,
  job: { readonly ask: Ask; readonly place: Place; readonly upload: Upload; readonly digest: string },
): Promise<Answer> {
  const { ask, place, upload } = job;
  const digest = readDigest(job.digest);
  await upload.write(ask.body);
  await using blob = await upload.finish();
  if (blob.digest !== digest)
    throw new Refusal('DIGEST_INVALID', `what came is ${blob.digest}, and ${digest} was promised`);
  await hosted.keepBlob(place.repository, blob);
  return created(place, digest);
}

function created({ path }: Place, digest: string): Answer {
  const headers = { Location: `/v2/${path}/blobs/${digest}`, 'Docker-Content-Digest': digest };
  return { status: 201, headers };
}

function progress({ path }: Place, { id, sizeBytes }: Upload, status: 202 | 204): Answer {
  const headers = {
    Location: `/v2/${path}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, sizeBytes - 1)}`,
    'Docker-Upload-UUID': id,
  };
  return { status, headers };
}
