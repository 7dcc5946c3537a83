/** Names and numbers in the headers of a study's DICOM files, for the scrubbing of its texts; kept in memory only. */
import { open } from 'node:fs/promises'
import { AppError } from '../../domain/errors.ts'
import type { Mapping } from '../../domain/mapping.ts'
import { mapInOrder } from '../concurrency.ts'
import { isDicom, parseDicom } from '../dicom/parse.ts'
import { absolutePath, type ItemPlanner } from '../images/plan-items.ts'
import type { PlannedStudy } from '../load-cohort.ts'
import type { StudyPrivacy } from './study-privacy.ts'

const headerBytes = 64 * 1024
const filesInFlight = 16
/** Patient, other names, referring, performing, reading and requesting physicians, operators. PS3.6. */
const nameTags = ['0010,0010', '0010,1001', '0010,1005', '0010,1060', '0008,0090', '0008,1048', '0008,1050', '0008,1060', '0008,1070', '0032,1032'] as const
/** Patient ID, other IDs, accession number, study ID, telephone, address. */
const idTags = ['0010,0020', '0010,1000', '0008,0050', '0020,0010', '0010,2154', '0010,1040', '0038,0010'] as const

/**
 * Removes from every study's texts the names and numbers that the headers of its own files hold. Opens files only of studies with a text.
 * @throws an AbortError when cancelled
 */
export async function scrubFromHeaders(studies: readonly PlannedStudy[], mapping: Mapping, planner: ItemPlanner, sourceDir: string, privacy: StudyPrivacy | null, signal: AbortSignal): Promise<void> {
  if (!privacy || !mapping.slots.some(({ slot }) => slot.modality === 'text')) return
  const read = mapInOrder(studies, filesInFlight, async (study) => {
    signal.throwIfAborted()
    const known = { names: [] as string[], ids: [] as string[] }
    if (!study.values.some((value, index) => value !== null && mapping.slots[index]!.slot.modality !== 'image')) return { study, known }
    for (const index of mapping.slots.keys()) {
      const match = planner.match(study, index)
      if (match?.kind !== 'found') continue
      const header = await readIdentity(absolutePath(sourceDir, match.path))
      known.names.push(...header.names)
      known.ids.push(...header.ids)
    }
    return { study, known }
  })
  for await (const { study, known } of read) {
    if (known.names.length + known.ids.length > 0) privacy.applyKnown(study, known.names, known.ids)
  }
}

async function readIdentity(file: string): Promise<{ names: string[]; ids: string[] }> {
  const nothing = { names: [], ids: [] }
  const bytes = await readStart(file)
  if (bytes === null || !isDicom(bytes)) return nothing
  try {
    const { dataSet } = parseDicom(bytes)
    return { names: nameTags.flatMap((tag) => dataSet.texts(tag)).filter((name) => name !== ''), ids: idTags.flatMap((tag) => dataSet.texts(tag)).filter((id) => id !== '') }
  } catch (error) {
    // A damaged file is told, with its row, when its picture is read.
    if (error instanceof AppError) return nothing
    throw error
  }
}

async function readStart(file: string): Promise<Uint8Array | null> {
  const handle = await open(file, 'r').catch(() => null)
  if (handle === null) return null
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0)
    return new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead)
  } catch {
    return null
  } finally {
    await handle.close()
  }
}
