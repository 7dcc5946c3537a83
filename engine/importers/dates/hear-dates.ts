import type { Inspect } from '../images/plan-items.ts'
import type { HeaderDates } from '../privacy/profile/header-dates.ts'

/** The same look at the images of one study, which also remembers the dates in their headers; `heard` fills while the images are looked at. */
export function hearDates(inspect: Inspect): { inspect: Inspect; heard: HeaderDates[] } {
  const heard: HeaderDates[] = []
  return {
    heard,
    inspect: async (path, frame) => {
      const inspection = await inspect(path, frame)
      if (inspection.kind === 'usable' && inspection.dates) heard.push(inspection.dates)
      return inspection
    },
  }
}
