import type { Mapping } from '../../domain/mapping.ts'
import type { IssueCollector } from '../issues.ts'
import type { GroupedStudy } from './group-rows.ts'

/** What removed words leave behind: XXXX, [**Name**], ___, <REDACTED>. */
const gap = /(?<![A-Za-z])X{3,}(?![A-Za-z])|\[\*\*.*?\*\*\]|_{3,}|[[<](?:redacted|removed|name|date)[\]>]/isu
/** Shorter texts are keywords or standard phrases, of which repeats say nothing. */
const shortestRepeat = 80

/** Notes texts from which words were removed before this import, and long texts that several patients share word for word. */
export function noteTexts(mapping: Mapping, studies: readonly GroupedStudy[], issues: IssueCollector): void {
  for (const [slotIndex, { slot }] of mapping.slots.entries()) {
    if (slot.modality !== 'text') continue
    const firstWith = new Map<string, { patientId: string }>()
    let gaps = 0
    let texts = 0
    let repeats = 0
    for (const { patientId, values } of studies) {
      const text = values[slotIndex] ?? null
      if (text === null) continue
      texts++
      if (gap.test(text)) gaps++
      if (text.length < shortestRepeat) continue
      const first = firstWith.get(text)
      if (first === undefined) firstWith.set(text, { patientId })
      else if (first.patientId !== patientId) repeats++
    }
    if (gaps > 0) issues.add('IMPORT_TEXT_GAPS', 'note', null, `${gaps} of ${texts} texts of "${slot.title}" hold a placeholder where words were removed.`, gaps)
    if (repeats > 0) issues.add('IMPORT_TEXT_REPEATED', 'note', null, `${repeats} of ${texts} texts of "${slot.title}" stand word for word under another patient as well.`, repeats)
  }
}
