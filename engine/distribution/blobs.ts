import { type Digest, isDigest } from '../api/digest.ts';
import { Refusal } from '../images/hosted/error.ts';
import type { Answer, Ask, RegistryParts } from './exchange.ts';
import { readRange } from './range.ts';

type Place = { readonly repository: string; readonly digest: string };

/** A blob: read, in part or whole, and removed (OCI distribution spec, "Pulling blobs", "Deleting Blobs"). */
export async function answerBlob({ hosted }: RegistryParts, ask: Ask, place: Place): Promise<Answer> {
  const { repository } = place;
  const digest = readDigest(place.digest);
  if (ask.method === 'DELETE') {
    hosted.removeBlob(repository, digest);
    return { status: 202 };
  }
  const file = await hosted.openBlob(repository, digest);
  if (file === undefined) throw new Refusal('BLOB_UNKNOWN', `there is no blob ${digest}`);
  try {
    const { size } = await file.stat();
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': digest,
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'max-age=31536000',
      ETag: `"${digest}"`,
    };
    const range = ask.method === 'GET' ? readRange(ask.headers.range, size) : undefined;
    if (range === undefined) return { status: 200, headers, body: { file, start: 0, end: size } };
    const { start, end } = range;
    const said = { ...headers, 'Content-Range': `bytes ${start}-${end - 1}/${size}` };
    return { status: 206, headers: said, body: { file, start, end } };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads a digest from a path or query. Throws `Refusal`: DIGEST_INVALID. */
export function readDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Refusal('DIGEST_INVALID', `'${text.slice(0, 100)}' is not a sha256 digest`);
}
