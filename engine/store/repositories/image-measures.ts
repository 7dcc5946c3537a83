import { thumbnailEdge, borderCells, type ImageMeasures } from '../../domain/image-measures.ts'
import type { TextSigns } from '../../domain/text-signs.ts'
import type { StoreContext } from '../context.ts'
import { createTextSignWriter } from '../privacy/text-signs.ts'

interface MeasureRow {
  sha256: string
  width_px: number
  height_px: number
  byte_size: number
  format: ImageMeasures['format']
  channels: 1 | 3
  mean_luminance: number
  sd_luminance: number
  perceptual_hash: string
  border: Buffer
  thumbnail: Buffer
}

type JoinedRow = MeasureRow & { item_id: number; study_id: number; patient_id: number; slot_id: string }

/** One image of a cohort with what was measured of it. */
export interface MeasuredImage {
  itemId: number
  studyId: number
  patientId: number
  slotId: string
  sha256: string
  measures: ImageMeasures
}

/** An image that was imported before anything was measured, and one of the studies that hold it. */
export interface UnmeasuredImage { sha256: string; studyId: number; slotId: string }

/** One content that was measured after its import. */
export interface MeasuredContent { sha256: string; measures: ImageMeasures; textSigns?: TextSigns | undefined }

export interface ImageMeasureRepository {
  /** Every present image of a cohort that has measures, in study order; a file that two studies hold comes twice. */
  ofCohort: (cohortId: number) => MeasuredImage[]
  countUnmeasured: (cohortId: number) => number
  /** Each content once. */
  listUnmeasured: (cohortId: number) => UnmeasuredImage[]
  /** With the signs of text that were found on the same pass. What is known already stays as it is. */
  add: (measured: readonly MeasuredContent[]) => void
}

function rowToMeasures(row: MeasureRow): ImageMeasures {
  return {
    widthPx: row.width_px, heightPx: row.height_px, byteSize: row.byte_size, format: row.format, channels: row.channels,
    meanLuminance: row.mean_luminance, sdLuminance: row.sd_luminance, perceptualHash: row.perceptual_hash,
    border: Float32Array.from({ length: borderCells }, (_, i) => row.border.readFloatLE(4 * i)),
    thumbnail: new Uint8Array(row.thumbnail),
  }
}

function measuresToRow(sha256: string, measures: ImageMeasures): MeasureRow {
  if (measures.border.length !== borderCells || measures.thumbnail.length !== thumbnailEdge ** 2) throw new Error('measures of another shape')
  const border = Buffer.alloc(4 * borderCells)
  measures.border.forEach((value, i) => border.writeFloatLE(value, 4 * i))
  return {
    sha256, width_px: measures.widthPx, height_px: measures.heightPx, byte_size: measures.byteSize, format: measures.format, channels: measures.channels,
    mean_luminance: measures.meanLuminance, sd_luminance: measures.sdLuminance, perceptual_hash: measures.perceptualHash, border, thumbnail: Buffer.from(measures.thumbnail),
  }
}

/** Writes the measures of one image; used by the import inside its own transaction. */
export function createMeasureWriter(db: StoreContext['db']): (sha256: string, measures: ImageMeasures) => void {
  const insert = db.prepare<MeasureRow>(`
    INSERT INTO image_measures (sha256, width_px, height_px, byte_size, format, channels, mean_luminance, sd_luminance, perceptual_hash, border, thumbnail)
    VALUES (:sha256, :width_px, :height_px, :byte_size, :format, :channels, :mean_luminance, :sd_luminance, :perceptual_hash, :border, :thumbnail)
    ON CONFLICT (sha256) DO NOTHING`)
  return (sha256, measures) => void insert.run(measuresToRow(sha256, measures))
}

/** What was measured of images. The rows belong to contents, not to cohorts; removals.ts erases those that no item names any more. */
export function createImageMeasureRepository({ db }: Pick<StoreContext, 'db'>): ImageMeasureRepository {
  const present = `studies JOIN items ON items.study_id = studies.id AND items.is_present = 1 AND items.source_path IS NOT NULL`
  const selectOfCohort = db.prepare<{ cohortId: number }, JoinedRow>(`
    SELECT items.id AS item_id, items.study_id, studies.patient_id, items.slot_id, image_measures.* FROM ${present}
    JOIN image_measures ON image_measures.sha256 = items.sha256 WHERE studies.cohort_id = :cohortId ORDER BY studies.ordinal, items.id`)
  const unmeasured = `FROM ${present} WHERE studies.cohort_id = :cohortId AND NOT EXISTS (SELECT 1 FROM image_measures WHERE sha256 = items.sha256)`
  const selectCount = db.prepare<{ cohortId: number }>(`SELECT count(DISTINCT items.sha256) ${unmeasured}`).pluck()
  const selectUnmeasured = db.prepare<{ cohortId: number }, UnmeasuredImage>(`SELECT items.sha256 AS sha256, items.study_id AS studyId, items.slot_id AS slotId, min(studies.ordinal) ${unmeasured} GROUP BY items.sha256 ORDER BY min(studies.ordinal)`)
  const write = createMeasureWriter(db)
  const writeSigns = createTextSignWriter(db)
  const add = db.transaction((measured: readonly MeasuredContent[]): void => {
    for (const { sha256, measures, textSigns } of measured) {
      write(sha256, measures)
      if (textSigns) writeSigns(sha256, textSigns)
    }
  })
  return {
    ofCohort: (cohortId) => selectOfCohort.all({ cohortId }).map((row) => ({
      itemId: row.item_id, studyId: row.study_id, patientId: row.patient_id, slotId: row.slot_id, sha256: row.sha256, measures: rowToMeasures(row),
    })),
    countUnmeasured: (cohortId) => selectCount.get({ cohortId }) as number,
    listUnmeasured: (cohortId) => selectUnmeasured.all({ cohortId }).map(({ sha256, studyId, slotId }) => ({ sha256, studyId, slotId })),
    add: (measured) => add.immediate(measured),
  }
}
