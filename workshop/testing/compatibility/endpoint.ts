/**
 * What the Engine API v1.47 has for containers, exec, images and the system: endpoints, and the names of all that is
 * sent and answered, as its reference lists them (https://docs.docker.com/reference/api/engine/version/v1.47/).
 * Fields are written as `State{Status Health{Log[]{Start End}}} Networks{*{Gateway}}`: braces hold the fields of an
 * object, `[]` stands after the name of a list of objects, `*` for the keys of a map, `?` after what cgroup v1 alone has.
 */
export type Endpoint = {
  /** In the notation of the operations table. */
  readonly route: string;
  readonly query?: string;
  /** Keys of the query's `filters`. */
  readonly filters?: string;
  readonly headers?: string;
  readonly body?: string;
  /** Fields of the answer; of one element where it is a list, of one line where it comes in lines. */
  readonly answer?: string;
};
