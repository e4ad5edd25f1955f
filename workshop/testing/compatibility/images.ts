import type { Endpoint } from './endpoint.ts';
import { containerConfig, imageSummary } from './fields.ts';

export const imageEndpoints: Readonly<Record<string, readonly Endpoint[]>> = {
  Images: [
    {
      route: 'GET /images/json',
      query: 'all filters shared-size digests manifests',
      filters: 'before dangling label reference since until',
      answer: imageSummary,
    },
    {
      route: 'POST /images/create',
      query: 'fromImage fromSrc repo tag message changes platform',
      headers: 'X-Registry-Auth',
    },
    {
      route: 'GET /images/{name*}/json',
      answer: `Id RepoTags RepoDigests Parent Comment Created DockerVersion Author Config{${containerConfig}}
        Architecture Variant Os OsVersion Size GraphDriver{Name Data} RootFS{Type Layers} Metadata{LastTagTime}`,
    },
    { route: 'GET /images/{name*}/history', answer: 'Id Created CreatedBy Tags Size Comment' },
    { route: 'POST /images/{name*}/push', query: 'tag platform', headers: 'X-Registry-Auth' },
    { route: 'POST /images/{name*}/tag', query: 'repo tag' },
    { route: 'DELETE /images/{name*}', query: 'force noprune', answer: 'Untagged Deleted' },
    {
      route: 'GET /images/search',
      query: 'term limit filters',
      filters: 'is-automated is-official stars',
      answer: 'name description star_count is_official is_automated',
    },
    {
      route: 'GET /distribution/{name*}/json',
      headers: 'X-Registry-Auth',
      answer:
        'Descriptor{mediaType digest size urls annotations data platform} Platforms[]{architecture os os.version os.features variant}',
    },
    {
      route: 'POST /images/prune',
      query: 'filters',
      filters: 'dangling until label label!',
      answer: 'ImagesDeleted[]{Untagged Deleted} SpaceReclaimed',
    },
    {
      route: 'POST /commit',
      query: 'container repo tag comment author pause changes',
      body: containerConfig,
      answer: 'Id',
    },
    { route: 'GET /images/{name*}/get', query: 'platform' },
    { route: 'GET /images/get', query: 'names platform' },
    { route: 'POST /images/load', query: 'quiet platform' },
    { route: 'POST /build' },
    { route: 'POST /build/prune' },
  ],
};
