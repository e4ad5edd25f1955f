import type { Case } from './case.ts';
import { answerCases } from './cases-answers.ts';
import { archiveCases } from './cases-archives.ts';
import { containerCases } from './cases-containers.ts';
import { diskCases } from './cases-disk.ts';
import { endpointCases } from './cases-endpoints.ts';
import { eventCases } from './cases-events.ts';
import { execCases } from './cases-exec.ts';
import { fieldCases } from './cases-fields.ts';
import { filterCases } from './cases-filters.ts';
import { healthCases } from './cases-health.ts';
import { imageArchiveCases } from './cases-image-archives.ts';
import { imageCases } from './cases-images.ts';
import { lifeCases } from './cases-life.ts';
import { lifeEventCases } from './cases-life-events.ts';
import { limitCases } from './cases-limits.ts';
import { listCases } from './cases-list.ts';
import { loginCases } from './cases-logins.ts';
import { logCases } from './cases-logs.ts';
import { madeImageCases } from './cases-made-images.ts';
import { mannerCases } from './cases-manners.ts';
import { mountCases } from './cases-mounts.ts';
import { networkCases } from './cases-networks.ts';
import { portCases } from './cases-ports.ts';
import { pruneCases } from './cases-prune.ts';
import { pushCases } from './cases-push.ts';
import { registryCases } from './cases-registries.ts';
import { securityCases } from './cases-security.ts';
import { sharingCases } from './cases-sharing.ts';
import { streamCases } from './cases-streams.ts';
import { systemCases } from './cases-system.ts';
import { usageCases } from './cases-usage.ts';
import { volumeUseCases } from './cases-volume-use.ts';
import { volumeCases } from './cases-volumes.ts';
import { websocketCases } from './cases-websocket.ts';

/** The API suite: what each engine is asked, by the name of the behaviour. */
export const cases: Readonly<Record<string, Case>> = {
  ...systemCases,
  ...imageCases,
  ...containerCases,
  ...lifeCases,
  ...lifeEventCases,
  ...listCases,
  ...filterCases,
  ...pruneCases,
  ...limitCases,
  ...mountCases,
  ...volumeCases,
  ...volumeUseCases,
  ...securityCases,
  ...sharingCases,
  ...streamCases,
  ...endpointCases,
  ...networkCases,
  ...portCases,
  ...eventCases,
  ...mannerCases,
  ...answerCases,
  ...fieldCases,
  ...execCases,
  ...healthCases,
  ...websocketCases,
  ...usageCases,
  ...diskCases,
  ...logCases,
  ...archiveCases,
  ...madeImageCases,
  ...pushCases,
  ...imageArchiveCases,
  ...loginCases,
  ...registryCases,
};
