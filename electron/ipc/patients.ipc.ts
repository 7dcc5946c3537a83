import { originalState } from '../../engine/jobs/originals.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

type PatientCalls = 'patients:list' | 'patients:get' | 'patients:neighbours' | 'patients:image-facts' | 'patients:source-rows' | 'reviews:save'

export function patientHandlers({ workspace, pictures }: HandlerContext): Handlers<PatientCalls> {
  const { store, reader, files } = workspace
  return {
    'patients:list': (query) => reader.read('patients:list', query),
    'patients:get': async ({ studyId, runId }) => {
      const { items, rows: _rows, ...study } = store.patients.getStudy(studyId)
      return {
        study,
        items: await Promise.all(items.map(async ({ sourcePath: _sourcePath, sha256: _sha256, ...item }) => {
          const hasPicture = item.isPresent && item.modality === 'image'
          return {
            ...item,
            url: hasPicture ? pictures.itemUrl(studyId, item.slotId, 'page') : null,
            thumbnailUrl: hasPicture ? pictures.itemUrl(studyId, item.slotId, 'thumbnail') : null,
            original: hasPicture ? await originalState(store.patients.itemFile(studyId, item.slotId)?.path ?? null, item.byteSize) : null,
          }
        })),
        predictions: runId === null ? [] : store.predictions.forStudy(runId, studyId),
        reviews: runId === null ? [] : store.reviews.ofStudy(runId, studyId),
        exclusion: study.isExcluded ? store.curation.exclusionOf(study.cohortId, studyId) : null,
      }
    },
    'patients:neighbours': (request) => reader.read('patients:neighbours', request),
    'patients:image-facts': async ({ studyId, slotId, frame }) => {
      const file = store.patients.itemFile(studyId, slotId)
      return file === null ? null : (await files.run('image:describe', { path: file.path, frame })) ?? null
    },
    // The row leads back to the hospital's own table, hence to a person: asked for on purpose, and logged.
    'patients:source-rows': ({ studyId }) => {
      const study = store.patients.getStudy(studyId)
      store.audit.append('source-row.shown', { studyId, cohortId: study.cohortId })
      return { rows: study.rows }
    },
    'reviews:save': ({ studyId, runId, verdict, comment }) => store.reviews.add({ studyId, runId, labelId: null, verdict, comment }),
  }
}
