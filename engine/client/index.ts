export { unixMoment } from '../api/moment.ts';
export { type Client, createClient, type Input } from './client.ts';
export { DEFAULT_SOCKET, formatHost, parseHost, resolveHost } from './host.ts';
export { connectEngine, launchLine } from './launch.ts';
export { pullImage } from './pull.ts';
export { pushImage } from './push.ts';
export { chunksOf } from './transport.ts';
