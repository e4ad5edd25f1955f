import manifest from '../package.json' with { type: 'json' };

/** The version of this program. */
export const ownVersion: string = manifest.version;

/** What `version` and `info` say of this program, under docker's names; it has no contexts but the one. */
export function clientVersion() {
  return {
    Version: ownVersion,
    NodeVersion: process.versions.node,
    Os: process.platform,
    // As Go names it, and so docker.
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    Context: 'default',
  };
}
