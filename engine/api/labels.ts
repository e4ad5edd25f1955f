/** Whether labels have this one: `NAME`, or `NAME=VALUE`, as docker's filters write it. */
export function matchesLabel(labels: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf('=');
  return equals < 0
    ? Object.hasOwn(labels, value)
    : Object.hasOwn(labels, value.slice(0, equals)) &&
        labels[value.slice(0, equals)] === value.slice(equals + 1);
}

/** The filters `label` and `label!` of prunes: all of the first, and not all of the second (Engine API, VolumePrune). */
export function passesLabels(
  labels: Readonly<Record<string, string>>,
  {
    label = [],
    'label!': notLabel = [],
  }: { readonly label?: readonly string[]; readonly 'label!'?: readonly string[] },
): boolean {
  if (!label.every((value) => matchesLabel(labels, value))) return false;
  return notLabel.length === 0 || !notLabel.every((value) => matchesLabel(labels, value));
}
