import type { ImageMeasures } from '../../domain/image-measures.ts'
import type { Sex } from '../../domain/records.ts'
import type { Slot } from '../../domain/slots.ts'
import type { DateProblem } from '../../domain/visit-dates.ts'

/** An image of a study as far as alarms look at it; `measures` is null where none were taken. */
export interface ImageFact { sha256: string; byteSize: number | null; widthPx: number | null; heightPx: number | null; measures: ImageMeasures | null }

/** The effective cohort in columns: row i is one study that is not excluded. N studies, L labels. */
export interface CohortFacts {
  /** Modalities that are not left out. */
  slots: Slot[]
  labelNames: string[]
  studyIds: Int32Array
  patientKeys: string[]
  studyKeys: string[]
  /** Number of the person, merged patients being one. */
  persons: Int32Array
  /** 1, 0 or -1 (unknown) at `i * L + l`. */
  labels: Int8Array
  /** NaN when unknown. */
  ageYears: Float64Array
  sexes: (Sex | null)[]
  sites: (string | null)[]
  /** What speaks against the day of a study and was not judged, by row. */
  dateProblems: ReadonlyMap<number, readonly DateProblem[]>
  /** True when the day of any study is known. */
  hasDates: boolean
  /** Bit s: slot s is present. */
  presentBits: Uint8Array
  /** By text slot, what the model would read; null when absent. */
  texts: Map<string, (string | null)[]>
  /** By image slot; null when absent. */
  images: Map<string, (ImageFact | null)[]>
}

/** Column of one label [N]. */
export function labelColumn({ labels, labelNames, studyIds }: CohortFacts, label: number): Int8Array {
  return Int8Array.from(studyIds, (_, i) => labels[i * labelNames.length + label]!)
}
