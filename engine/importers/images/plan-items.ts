import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { ErrorCode } from '../../domain/errors.ts'
import type { FrameChoice } from '../../domain/frames.ts'
import type { ImportedItem } from '../../domain/import.ts'
import type { Mapping } from '../../domain/mapping.ts'
import type { PlannedStudy } from '../load-cohort.ts'
import type { FileIndex, FileMatch } from './file-index.ts'
import type { ImageInspection } from './inspect-image.ts'
import { createPatternFinder } from './match-pattern.ts'

/** An item together with the problem that made it absent, for the issue list. */
export interface PlannedItem {
  item: ImportedItem
  /** Set when a file named in the table cannot be used. */
  problem: { code: ErrorCode; detail: string } | null
  /** Set when an image is used in a way that the user should know of. */
  note: { code: ErrorCode; detail: string } | null
}

/** Looks at one frame of a file of the index. */
export type Inspect = (path: string, frame: FrameChoice) => Promise<ImageInspection>

export interface ItemPlanner {
  /** Path of the file of an image slot relative to the source folder, or why there is none. Null for text slots and blank cells. */
  match: (study: PlannedStudy, slotIndex: number) => FileMatch | null
  /** Which frame of a file with several the mapping wants for an image slot. */
  frameOf: (slotIndex: number) => FrameChoice
  /** The item of a slot, given what `inspect` found in its file (called for existing files only). */
  plan: (study: PlannedStudy, slotIndex: number, inspect: Inspect) => Promise<PlannedItem>
}

/** Turns what the table says of a slot and what lies in the folder into an item with presence and reason. */
export function createItemPlanner(mapping: Mapping, studies: readonly PlannedStudy[], index: FileIndex): ItemPlanner {
  const ids = studies.map(({ patientId }) => patientId)
  const finders = mapping.slots.map(({ source }) => (source.kind === 'pattern' ? createPatternFinder(source.pattern, index, ids) : null))
  const match = (study: PlannedStudy, slotIndex: number): FileMatch | null => {
    if (mapping.slots[slotIndex]!.slot.modality !== 'image') return null
    const finder = finders[slotIndex]
    if (finder) return finder(study.patientId)
    const cell = study.values[slotIndex] ?? null
    return cell === null ? null : index.find(cell)
  }
  const frameOf = (slotIndex: number): FrameChoice => {
    const { source } = mapping.slots[slotIndex]!
    return (source.kind === 'column' || source.kind === 'pattern' ? source.frame : undefined) ?? 'first'
  }
  const plan = async (study: PlannedStudy, slotIndex: number, inspect: Inspect): Promise<PlannedItem> => {
    const { slot } = mapping.slots[slotIndex]!
    const fault = study.textFaults?.get(slotIndex)
    if (fault) return absentWithProblem(slot.slotId, fault.reason, fault.code, fault.detail, `Row ${study.rows[0]!}, ${slot.title}: ${fault.detail}`)
    if (slot.modality !== 'image') return { item: textItem(slot.slotId, study.values[slotIndex] ?? null), problem: null, note: null }
    const row = study.rows[0]!
    const found = match(study, slotIndex)
    if (!found) return { item: absentItem(slot.slotId, 'not-collected', null, null), problem: null, note: null }
    if (found.kind === 'none') {
      return absentWithProblem(slot.slotId, 'file-missing', 'IMAGE_NOT_FOUND', 'No such file in the folder.', `Row ${row}, ${slot.title}: no such file in the folder.`)
    }
    if (found.kind === 'ambiguous') {
      const detail = `The name fits ${found.count} files in different subfolders.`
      return absentWithProblem(slot.slotId, 'file-missing', 'IMPORT_IMAGE_AMBIGUOUS', detail, `Row ${row}, ${slot.title}: the name fits ${found.count} files.`)
    }
    const inspection = await inspect(found.path, frameOf(slotIndex))
    if (inspection.kind === 'missing') return absentWithProblem(slot.slotId, 'file-missing', 'IMAGE_NOT_FOUND', inspection.detail, `Row ${row}, ${slot.title}: ${inspection.detail}`)
    const file = { sourcePath: found.path, sha256: inspection.sha256, byteSize: inspection.byteSize }
    if (inspection.kind === 'unusable') {
      const item = { ...absentItem(slot.slotId, 'unreadable', inspection.detail, found.path), ...file }
      return { item, problem: { code: inspection.code, detail: `Row ${row}, ${slot.title}: ${inspection.detail}` }, note: null }
    }
    const { widthPx, heightPx, frame, frameCount, measures, textSigns } = inspection
    if (textSigns && mapping.privacy?.burnedIn === 'exclude') {
      return { item: { ...absentItem(slot.slotId, 'excluded', 'The image may show text.', found.path), ...file }, problem: null, note: null }
    }
    const note = inspection.note === null ? null : { code: inspection.note.code, detail: `Row ${row}, ${slot.title}: ${inspection.note.detail}` }
    return { item: { slotId: slot.slotId, isPresent: true, reason: null, detail: null, ...file, widthPx, heightPx, text: null, frame, frameCount, ...(measures ? { measures } : {}), ...(textSigns ? { textSigns } : {}) }, problem: null, note }
  }
  return { match, frameOf, plan }
}

/** Absolute path of a file of the index. */
export function absolutePath(sourceDir: string, path: string): string {
  return join(sourceDir, ...path.split('/'))
}

function textItem(slotId: string, text: string | null): ImportedItem {
  if (text === null) return absentItem(slotId, 'not-collected', null, null)
  return { slotId, isPresent: true, reason: null, detail: null, sourcePath: null, sha256: hash('sha256', text), byteSize: Buffer.byteLength(text), widthPx: null, heightPx: null, text }
}

function absentItem(slotId: string, reason: ImportedItem['reason'], detail: string | null, sourcePath: string | null): ImportedItem {
  return { slotId, isPresent: false, reason, detail, sourcePath, sha256: null, byteSize: null, widthPx: null, heightPx: null, text: null }
}

function absentWithProblem(slotId: string, reason: NonNullable<ImportedItem['reason']>, code: ErrorCode, detail: string, message: string): PlannedItem {
  return { item: absentItem(slotId, reason, detail, null), problem: { code, detail: message }, note: null }
}
