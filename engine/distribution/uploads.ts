import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ReceivedBlob } from '../content/store.ts';
import { Refusal } from '../images/hosted/error.ts';

/** A blob on its way in, over as many requests as the client likes. */
export type Upload = {
  readonly id: string;
  readonly repository: string;
  /** How much of it is there. */
  readonly sizeBytes: number;
  /** Takes a part in. What had come when it fails on the way stays. Throws BLOB_UPLOAD_INVALID while another comes. */
  readonly write: (body: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Ends it: nothing more can be written. The caller disposes of what was received. */
  readonly finish: () => Promise<ReceivedBlob>;
  readonly cancel: () => Promise<void>;
};

export type Uploads = {
  /** Throws TOOMANYREQUESTS. */
  readonly begin: (repository: string) => Upload;
  /** Throws BLOB_UPLOAD_UNKNOWN. */
  readonly find: (repository: string, id: string) => Upload;
  readonly close: () => Promise<void>;
};

const MAX_UPLOADS = 1_000;
/** One that nothing was written to for so long is given up. */
const IDLE_MS = 60 * 60_000;

/**
 * The uploads under way. They live as long as the engine: after it, a client begins anew, and what had come is swept.
 * `receive` writes a stream to a file.
 */
export function openUploads(
  receive: (source: AsyncIterable<Uint8Array>) => Promise<ReceivedBlob>,
  { idleMs = IDLE_MS, max = MAX_UPLOADS } = {},
): Uploads {
  const uploads = new Map<string, Upload>();

  const begin = (repository: string): Upload => {
    if (uploads.size >= max)
      throw new Refusal('TOOMANYREQUESTS', `${max} uploads are under way: try again later`);
    const id = randomUUID();
    const pipe = new PassThrough({ highWaterMark: 256 * 1024 });
    const received = receive(pipe);
    // Whoever writes or finishes hears of it.
    received.catch(() => forget());
    pipe.on('error', () => undefined);
    let sizeBytes = 0;
    let busy = false;
    const forget = () => {
      clearTimeout(timer);
      uploads.delete(id);
    };
    const cancel = async () => {
      forget();
      pipe.destroy(new Refusal('BLOB_UPLOAD_UNKNOWN', 'the upload was cancelled'));
      const blob = await received.catch(() => undefined);
      await blob?.[Symbol.asyncDispose]();
    };
    const timer = setTimeout(() => void cancel(), idleMs).unref();

    const upload: Upload = {
      id,
      repository,
      get sizeBytes() {
        return sizeBytes;
      },
      write: async (body) => {
        if (busy) throw new Refusal('BLOB_UPLOAD_INVALID', 'another part of this upload is coming');
        busy = true;
        try {
          for await (const piece of body) {
            timer.refresh();
            if (pipe.destroyed) await received;
            sizeBytes += piece.length;
            // A full disk ends the pipe, and is what `received` fails with.
            if (!pipe.write(piece)) await Promise.race([once(pipe, 'drain'), received]);
          }
        } finally {
          busy = false;
          timer.refresh();
        }
      },
      finish: async () => {
        if (busy) throw new Refusal('BLOB_UPLOAD_INVALID', 'a part of this upload is still coming');
        forget();
        pipe.end();
        return await received;
      },
      cancel,
    };
    uploads.set(id, upload);
    return upload;
  };

  return {
    begin,
    find: (repository, id) => {
      const upload = uploads.get(id);
      if (upload?.repository === repository) return upload;
      throw new Refusal('BLOB_UPLOAD_UNKNOWN', 'there is no such upload: begin another');
    },
    close: async () => void (await Promise.all([...uploads.values()].map((upload) => upload.cancel()))),
  };
}
