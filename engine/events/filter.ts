import type { Filters } from '../api/fields.ts';
import type { EventMessage } from '../api/wire.ts';

/** Whether an event passes Docker's filters: any value of one filter, and all filters. */
export function matchesEvent(message: EventMessage, filter: Filters): boolean {
  return Object.entries(filter).every(
    ([name, values]) => values.length === 0 || values.some((value) => matches(message, name, value)),
  );
}

function matches(message: EventMessage, name: string, value: string): boolean {
  const { ID, Attributes } = message.Actor;
  switch (name) {
    case 'type':
      return message.Type === value;
    case 'event':
      // `exec_start` stands for `exec_start: sh` too.
      return message.Action === value || message.Action.startsWith(`${value}:`);
    case 'scope':
      return message.scope === value;
    case 'label': {
      const equals = value.indexOf('=');
      return equals < 0
        ? Object.hasOwn(Attributes, value)
        : Attributes[value.slice(0, equals)] === value.slice(equals + 1);
    }
    case 'image':
      return (
        (message.Type === 'image' && (ID === value || Attributes.name === value)) ||
        Attributes.image === value
      );
    default:
      return (
        message.Type === name &&
        (ID === value || (value.length >= 4 && ID.startsWith(value)) || Attributes.name === value)
      );
  }
}
