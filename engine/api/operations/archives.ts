import { boolean, string } from '../fields.ts';
import type { Change } from '../wire/archives.ts';
import { type ByteStream, operation } from './define.ts';

const path = string('Path in the container', { placeholder: 'PATH' });

/** A container's files. */
export const archiveOperations = {
  containerArchiveInfo: operation()({
    summary: "Show what a path names among a container's files",
    route: 'HEAD /containers/{id}/archive',
    query: { path },
    answer: 'headers',
  }),
  containerArchive: operation()({
    summary: 'Get files of a container, as a tar archive',
    route: 'GET /containers/{id}/archive',
    query: { path },
    answer: 'bytes',
  }),
  putContainerArchive: operation<undefined, ByteStream>()({
    summary: 'Put the files of a tar archive into a directory of a container',
    route: 'PUT /containers/{id}/archive',
    query: {
      path,
      noOverwriteDirNonDir: boolean(
        'Refuse to put a directory in the place of a file, or the other way round',
      ),
      copyUidGid: boolean("Give all of it to the container's user", { wire: 'copyUIDGID' }),
    },
    body: 'bytes',
    answer: 'none',
  }),
  containerChanges: operation<readonly Change[] | null>()({
    summary: "Show how a container's files differ from its image's",
    route: 'GET /containers/{id}/changes',
  }),
  containerExport: operation()({
    summary: 'Get all files of a container, as a tar archive',
    route: 'GET /containers/{id}/export',
    answer: 'bytes',
  }),
};
