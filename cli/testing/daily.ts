import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { Ended } from './berth.ts';
import { findDocker } from './docker.ts';
import type { Behaviours, Given } from './given.ts';

/**
 * A day's work, as it is typed. `$N` begins the names of the day's containers and is their label `day`. Each line has to
 * print what docker's own command line prints for it, and to end with the same code.
 */
const day: readonly string[] = [
  // Something that runs, and a look at it.
  "docker run -d --name $N-web -l day=$N -e GREETING=hello busybox sh -c 'echo up; sleep 1000'",
  'docker ps --filter name=$N',
  "docker ps --filter name=$N --format '{{.Names}}'",
  'docker ps -q --no-trunc -f label=day=$N | wc -l',
  'docker ps -f label=day=$N --format \'table {{.Names}}\\t{{.Image}}\\t{{.Label "day"}}\'',
  "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $N-web | grep -c '^[0-9.]*$'",
  'docker inspect $N-web | grep -o \'"Status": "[a-z]*"\'',
  "docker inspect --format='{{range .Config.Env}}{{println .}}{{end}}' $N-web | grep GREETING",
  "docker container inspect -f '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.NetworkMode}}' $N-web",
  // Programs in it.
  'docker exec $N-web cat /etc/hostname',
  "docker exec -e A=b -w /tmp -u 1:2 $N-web sh -c 'echo $A $(pwd) $(id -u):$(id -g)'",
  'echo piped | docker exec -i $N-web wc -c',
  "docker exec $N-web sh -c 'echo oops >&2; exit 4' 2>&1 || echo ended with $?",
  'docker exec $N-web no-such-program >/dev/null 2>&1 || echo ended with $?',
  'docker exec -d $N-web sleep 1000; docker container exec $N-web pgrep sleep | wc -l',
  'docker exec $N-nope true || echo failed',
  // What it does and takes.
  "docker top $N-web | grep -c 'sleep 1000'",
  'docker top $N-web -o pid,args | head -n 1',
  "docker stats --no-stream --format '{{.Name}} {{.ID}}' $N-web",
  'docker port $N-web | wc -l',
  "docker system df --format '{{.Type}}'",
  // A job to its end, its output and its code.
  "docker run --name $N-job -l day=$N busybox sh -c 'echo oops >&2; sleep 0.2; seq 10; exit 3'",
  'docker logs --tail 2 $N-job 2>/dev/null',
  'docker logs $N-job 2>&1 >/dev/null',
  'docker logs $N-job 2>/dev/null | head -n 1',
  'docker wait $N-job',
  "docker ps -a -f name=$N-job --format '{{.Status}}' | cut -d' ' -f1,2",
  "docker ps -a -f label=day=$N -f status=exited --format '{{.Names}} {{.Command}}'",
  // docker counts in whole seconds there: `--until 0s` would leave out the one that runs.
  'docker events --since 10m --until $(($(date +%s) + 1)) -f container=$N-job --format "{{.Action}}" | grep -v attach',
  // Pipes in and out.
  'echo some words | docker run -i --rm busybox tr a-z A-Z',
  'docker run --rm busybox false || echo failed with $?',
  'docker run --rm -w /etc -u 1:2 busybox sh -c "pwd; id -u; id -g"',
  'id=$(docker create -l day=$N busybox echo created); docker start -a $id; docker rm $id >/dev/null',
  'docker run --rm --memory 64m --cpus 0.5 --hostname box --read-only busybox hostname',
  'docker run --rm -v "$PWD:/src:ro" busybox cat /src/note',
  // Files, and images made of containers.
  'docker cp note $N-job:/tmp/note && docker cp $N-job:/tmp/note - | tar -xO',
  'docker cp $N-job:/etc/passwd - | tar -t',
  'docker diff $N-job',
  'docker export $N-job | tar -t | grep -x tmp/note',
  'docker commit -m "a note" -c "CMD [\\"cat\\", \\"/tmp/note\\"]" $N-job $N:made | grep -c ^sha256:',
  'docker run --rm $N:made',
  "docker history --format '{{.Comment}}' $N:made | head -n 1",
  "docker tag $N:made $N:again && docker images --format '{{.Repository}}:{{.Tag}}' $N | sort",
  'docker rmi $N:again; docker rmi -f $N:made | grep -c Untagged',
  // A layer that the other day, which goes on beside this one, has no share in.
  "echo $N >mine && tar -c mine | docker import - $N:bare >/dev/null && docker image inspect -f '{{len .RootFS.Layers}}' $N:bare",
  'docker rmi $N:bare | grep -c ^Deleted: ',
  // Networks, and what outlives containers.
  'docker network create --label day=$N --internal $N-net',
  'docker network ls -f name=$N-net',
  "docker network ls -f label=day=$N --format '{{.Name}} {{.Driver}} {{.Scope}} {{.IPv6}} {{.Internal}} {{.Labels}}'",
  'docker network list -q -f label=day=$N',
  'docker network connect --alias site $N-net $N-web',
  "docker network inspect -f '{{.Driver}} {{.Internal}} {{len .Containers}}' $N-net",
  "docker run --rm --network $N-net busybox ping -c 1 -W 20 site | grep -o '1 packets received'",
  'docker network rm $N-net || echo in use',
  'docker network disconnect $N-net $N-web; docker network rm -f $N-nope $N-net',
  'docker network inspect $N-net || echo gone',
  'docker network prune -f --filter label=day=$N',
  'docker volume create --label day=$N $N-data',
  'docker run --rm -v $N-data:/data busybox sh -c "echo kept > /data/file"',
  'docker run --rm --mount type=volume,src=$N-data,dst=/data,readonly busybox sh -c "cat /data/file; ! touch /data/x 2>/dev/null"',
  'docker volume ls -f name=$N-data',
  "docker volume ls -q -f label=day=$N; docker volume list -f label=day=$N --format '{{.Name}} {{.Labels}}'",
  "docker volume inspect -f '{{.Driver}} {{.Scope}} {{json .Labels}} {{json .Options}}' $N-data",
  'docker create --name $N-user -v $N-data:/data busybox >/dev/null; docker volume rm $N-data || echo in use',
  'docker rm $N-user && docker volume rm $N-data; docker volume rm $N-data || echo gone',
  'docker volume prune -f --filter label=day=$N',
  // Its life.
  'docker pause $N-web && docker ps -f name=$N-web --format "{{.State}}" && docker unpause $N-web',
  'docker rename $N-web $N-site && docker ps -q -f name=$N-site | wc -l',
  "docker update --memory 128m --memory-swap 256m $N-site >/dev/null; docker inspect -f '{{.HostConfig.Memory}}' $N-site",
  'docker restart -t 0 $N-site',
  'docker stop -t 0 $(docker ps -q -f label=day=$N) | wc -l',
  'docker start $N-site',
  'docker kill -s KILL $N-site && docker wait $N-site',
  // Images.
  "docker images --format '{{.Repository}}:{{.Tag}}' | grep '^busybox:latest$'",
  'docker images busybox',
  'docker image ls -q busybox | wc -l',
  'docker images -q --filter dangling=true | xargs -r docker rmi',
  "docker image inspect -f '{{.Os}} {{.Config.Cmd}} {{len .RootFS.Layers}}' busybox",
  // The engine.
  "docker version -f '{{.Server.Os}}/{{.Server.Arch}}'",
  "docker info -f '{{.OSType}} {{.NCPU}}'; docker system info 2>/dev/null | grep -c 'Server Version'",
  // What is wrong is said on standard error, and by the code.
  'docker stop $N-nope || echo $?',
  "docker inspect -f '{{.Id}}' $N-nope >/dev/null || echo $?",
  'docker run --rm busybox no-such-program 2>/dev/null || echo $?',
  'docker inspect $N-nope >/dev/null 2>&1 || echo not there',
  'docker container inspect $N-site >/dev/null 2>&1 && echo there',
  'docker ps -a --filter name=$N-nope',
  // And the end of the day.
  'docker container prune -f --filter label=day=$N-nope',
  'docker ps -aq -f label=day=$N | xargs -r docker rm -f | wc -l',
  'docker ps -aq -f label=day=$N | xargs -r docker rm -f',
];

/** A directory with nothing but a program called `docker`. */
async function pathOf({ berth }: Given, program: string | undefined): Promise<string> {
  const directory = berth.join(program === undefined ? 'alias' : 'docker');
  await mkdir(directory, { recursive: true });
  const place = `${directory}/docker`;
  if (program !== undefined) await symlink(program, place).catch(() => {});
  else
    await writeFile(place, `#!/bin/sh\nexec ${berth.command.map((word) => `'${word}'`).join(' ')} "$@"\n`, {
      mode: 0o755,
    });
  return directory;
}

/** The day with one command line: what each line printed, and its code. Nothing of it is left. */
async function spend(given: Given, program: string | undefined): Promise<readonly Ended[]> {
  const path = await pathOf(given, program);
  const name = `day-${Math.random().toString(36).slice(2, 8)}-${program === undefined ? 'b' : 'd'}`;
  const work = given.berth.join(`work-${name}`);
  await mkdir(work, { recursive: true });
  await writeFile(`${work}/note`, 'a note\n');
  const run = (line: string) =>
    execa('sh', ['-c', line], {
      cwd: work,
      env: {
        ...given.berth.env,
        PATH: `${path}:${given.berth.env.PATH}`,
        DOCKER_HOST: given.host,
        DOCKER_CONFIG: given.berth.join('docker-config'),
        N: name,
      },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
    });
  try {
    const done: Ended[] = [];
    for (const line of day) {
      const { exitCode, stdout, stderr } = await run(line);
      done.push({ code: exitCode, stdout: withoutChance(stdout, name), stderr });
    }
    return done;
  } finally {
    await run(
      'docker ps -aq -f label=day=$N | xargs -r docker rm -f; docker images -q $N | xargs -r docker rmi -f',
    );
  }
}

/** Without what differs from one container to the next: its name, its id, its age. */
function withoutChance(text: string, name: string): string {
  return text
    .replaceAll(name, 'NAME')
    .replace(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, 'ID')
    .replace(/(?:\d+|About an?|Less than a) (?:second|minute)s?(?: ago)?/g, 'AGE')
    .replace(/ {2,}/g, '  ');
}

/** `alias docker=berth`. */
export const daily: Behaviours = {
  'a day of work with docker’s words goes as it does with docker': async (given) => {
    const docker = await findDocker();
    const [ours, theirs] = await Promise.all([
      spend(given, undefined),
      docker === undefined ? undefined : spend(given, docker),
    ]);
    const wrong = day.flatMap((line, index) => {
      const [berth, other] = [ours[index], theirs?.[index]];
      if (berth === undefined) return [`${line}: it was not reached`];
      if (other === undefined) return [];
      const same =
        berth.code === other.code &&
        berth.stdout === other.stdout &&
        (berth.stderr === '') === (other.stderr === '');
      return same ? [] : [`${line}\n  berth:  ${JSON.stringify(berth)}\n  docker: ${JSON.stringify(other)}`];
    });
    assert.equal(wrong.join('\n\n'), '');
    // Where there is no docker to compare with: the job alone fails, and it should.
    const failed = day.filter((_line, index) => ours[index]?.code !== 0);
    assert.deepEqual(
      failed,
      day.filter((line) => line.includes('exit 3')),
    );
  },
};
