import { useRef, useSyncExternalStore } from 'react';
import type { Dashboard } from '../dashboard.ts';
import type { LogRing } from '../logs/ring.ts';
import type { Model } from '../model.ts';
import { sameData } from '../store.ts';

/** A part of the screen as data; the component is drawn anew only when the data say something else. */
export function useView<View>(dashboard: Dashboard, select: (model: Model, log: LogRing) => View): View {
  const last = useRef<{ readonly view: View } | undefined>(undefined);
  return useSyncExternalStore(dashboard.subscribe, () => {
    const view = select(dashboard.model(), dashboard.log());
    if (last.current === undefined || !sameData(last.current.view, view)) last.current = { view };
    return last.current.view;
  });
}
