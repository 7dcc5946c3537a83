/** What becomes of one attribute of a DICOM header here: the profile's action, and whether anything of it is kept. */
import { profileAttributes } from './attributes.ts'
import { keptAttributes } from './kept-attributes.ts'

/** `removed` is the answer to every attribute that nobody listed: nothing is kept by default. */
export type Fate = 'removed' | 'pseudonym' | 'shifted' | 'generalised' | 'cleaned' | 'kept'

export interface Judgement {
  /** Keyword of the standard, "Private" or "Unlisted" where there is none. */
  name: string
  /** Action of PS3.15 Table E.1-1; null for an attribute that the table does not name. */
  action: string | null
  fate: Fate
}

/** Overlays and curves: the table names their content; the groups repeat. PS3.5 section 7.6. */
const repeatingGroup = /^(50|60)[0-9a-f][02468ace],/

/**
 * Judges an attribute by its tag alone, wherever it stands: the items of a sequence are judged like the data set around it.
 *
 * @param tag gggg,eeee in lower-case hex
 */
export function judgeAttribute(tag: string): Judgement {
  const kept = keptAttributes.get(tag)
  const listed = profileAttributes.get(tag)
  if (kept) return { name: kept.name, action: listed?.action ?? null, fate: kept.fate }
  if (listed) return { name: listed.keyword, action: listed.action, fate: 'removed' }
  // An odd group is private: the writer alone knows what it holds.
  if (Number.parseInt(tag.slice(0, 4), 16) % 2 === 1) return { name: 'Private', action: 'X', fate: 'removed' }
  if (repeatingGroup.test(tag)) return { name: tag.startsWith('50') ? 'Curve' : 'Overlay', action: 'X', fate: 'removed' }
  return { name: 'Unlisted', action: null, fate: 'removed' }
}
