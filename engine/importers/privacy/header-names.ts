/** Names and numbers in the headers of a study's DICOM files, for the scrubbing of its texts; kept in memory only. */
import { open } from 'node:fs/promises'
import { AppError } from '../../domain/errors.ts'
import type { Mapping } from '../../domain/mapping.ts'
import type { PrivacyReport } from '../../domain/privacy.ts'
import { mapInOrder } from '../concurrency.ts'
import { isDicom, parseDicom } from '../dicom/parse.ts'
import { absolutePath, type ItemPlanner } from '../images/plan-items.ts'
import type { IssueCollector } from '../issues.ts'
import type { PlannedStudy } from '../load-cohort.ts'
import { countAttributes, identityOf, type HeaderIdentity } from './profile/header-identity.ts'
import type { StudyPrivacy } from './study-privacy.ts'

const headerBytes = 64 * 1024
/** Private groups of some scanners fill megabytes before the attributes that name somebody end. */
const moreBytes = 4 * 1024 * 1024
const filesInFlight = 16

/** What the headers of a delivery hold: names of attributes and numbers of files, never a value. */
type HeaderCounts = NonNullable<PrivacyReport['headers']>

/**
 * Removes from every text of a patient the names that the headers of the patient's files hold, and the numbers of its own. A header that cannot be read while there is
 * a text to be cleaned by it becomes an issue that blocks the import. Opens files only of patients with a text, or all of them when `isCounting`.
 *
 * @returns counts over the headers that were opened; null when none was a DICOM file
 * @throws an AbortError when cancelled
 */
export async function scrubFromHeaders(
  studies: readonly PlannedStudy[], mapping: Mapping, planner: ItemPlanner, sourceDir: string, privacy: StudyPrivacy | null, issues: IssueCollector, signal: AbortSignal, isCounting = false,
): Promise<HeaderCounts | null> {
  if (!privacy || (!isCounting && !mapping.slots.some(({ slot }) => slot.modality === 'text'))) return null
  const keepsDates = mapping.dates !== undefined && mapping.privacy?.dates === 'shift'
  const counts = new Map<string, number>()
  let files = 0
  const hasTextOf = (study: PlannedStudy): boolean => study.values.some((value, index) => value !== null && mapping.slots[index]!.slot.modality !== 'image')
  // A letter of one visit names whom only the picture of another names.
  const written = new Set(studies.filter(hasTextOf).map(({ patientId }) => patientId))
  const ofPatient = new Map<string, { names: Set<string>; ids: Map<string, number> }>()
  const idsOf = new Map<PlannedStudy, string[]>()
  const read = mapInOrder(studies, filesInFlight, async (study) => {
    signal.throwIfAborted()
    const known: HeaderIdentity = { names: [], ids: [] }
    const hasText = hasTextOf(study)
    let isUnreadable = false
    if (!written.has(study.patientId) && !isCounting) return { study, known, isUnreadable }
    for (const index of mapping.slots.keys()) {
      const match = planner.match(study, index)
      if (match?.kind !== 'found') continue
      const header = await readHeader(absolutePath(sourceDir, match.path), isCounting ? counts : null)
      if (header === 'unreadable') isUnreadable = hasText
      else if (header !== 'no-dicom') {
        files++
        known.names.push(...header.names)
        known.ids.push(...header.ids)
      }
    }
    return { study, known, isUnreadable }
  })
  for await (const { study, known, isUnreadable } of read) {
    if (isUnreadable) issues.add('IMPORT_PRIVACY_HEADER', 'blocks', study.rows[0]!, `Row ${study.rows[0]}: the header of a DICOM file cannot be read, so the names in it cannot be taken out of the text of this row.`)
    if (known.names.length + known.ids.length === 0 || !written.has(study.patientId)) continue
    const held = ofPatient.get(study.patientId) ?? { names: new Set<string>(), ids: new Map<string, number>() }
    ofPatient.set(study.patientId, held)
    for (const name of known.names) held.names.add(name)
    const ids = [...new Set(known.ids)]
    for (const id of ids) held.ids.set(id, (held.ids.get(id) ?? 0) + 1)
    idsOf.set(study, ids)
  }
  for (const study of studies) {
    const held = ofPatient.get(study.patientId)
    if (!held || !hasTextOf(study)) continue
    // Of the numbers in other visits' headers only those that come again: the patient's, not those of each file.
    const shared = [...held.ids].flatMap(([id, count]) => (count > 1 ? [id] : []))
    privacy.applyKnown(study, [...held.names], [...new Set([...(idsOf.get(study) ?? []), ...shared])])
  }
  return files === 0 ? null : { files, attributes: [...counts].map(([key, count]) => toCount(key, count, keepsDates)).sort((a, b) => b.files - a.files || (a.name < b.name ? -1 : 1)) }
}

function toCount(key: string, files: number, keepsDates: boolean): HeaderCounts['attributes'][number] {
  const [name, fate] = key.split('\u001f') as [string, HeaderCounts['attributes'][number]['fate']]
  return { name, fate: fate === 'shifted' && !keepsDates ? 'removed' : fate, files }
}

async function readHeader(file: string, counts: Map<string, number> | null): Promise<HeaderIdentity | 'no-dicom' | 'unreadable'> {
  const start = await readStart(file, headerBytes)
  if (start === null || !isDicom(start.bytes)) return 'no-dicom'
  try {
    let parsed = parseDicom(start.bytes)
    // Cut off by us rather than by the writer: once more with all that a header may take.
    if (parsed.pixels === null && start.size > headerBytes) parsed = parseDicom((await readStart(file, moreBytes))?.bytes ?? start.bytes)
    if (counts) countAttributes(parsed.dataSet, counts)
    return identityOf(parsed.dataSet)
  } catch (error) {
    if (error instanceof AppError) return 'unreadable'
    throw error
  }
}

async function readStart(file: string, length: number): Promise<{ bytes: Uint8Array; size: number } | null> {
  const handle = await open(file, 'r').catch(() => null)
  if (handle === null) return null
  try {
    const { size } = await handle.stat()
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(length, size)), 0, Math.min(length, size), 0)
    return { bytes: new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead), size }
  } catch {
    return null
  } finally {
    await handle.close()
  }
}
