import { execa } from 'execa';

/** The release whose words, columns and types the command line follows. */
const RELEASE = /^Docker version 28\./;

/** docker's own command line, to compare with; undefined where that release is not installed. */
export async function findDocker(): Promise<string | undefined> {
  for (const program of ['/usr/local/bin/docker', '/usr/bin/docker']) {
    const { stdout, failed } = await execa(program, ['--version'], { reject: false });
    if (!failed && RELEASE.test(stdout)) return program;
  }
  return undefined;
}
