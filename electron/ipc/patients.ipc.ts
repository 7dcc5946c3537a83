import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

type PatientCalls = 'patients:list' | 'patients:get' | 'patients:neighbours' | 'patients:source-rows' | 'reviews:save'

export function patientHandlers({ workspace, pictures }: HandlerContext): Handlers<PatientCalls> {
  const { store, reader } = workspace
  return {
    'patients:list': (query) => reader.read('patients:list', query),
    'patients:get': ({ studyId, runId }) => {
      const { items, rows: _rows, ...study } = store.patients.getStudy(studyId)
      return {
        study,
        items: items.map(({ sourcePath: _sourcePath, sha256: _sha256, ...item }) => {
          const hasPicture = item.isPresent && item.modality === 'image'
          return {
            ...item,
            url: hasPicture ? pictures.itemUrl(studyId, item.slotId, 'page') : null,
            thumbnailUrl: hasPicture ? pictures.itemUrl(studyId, item.slotId, 'thumbnail') : null,
          }
        }),
        predictions: runId === null ? [] : store.predictions.forStudy(runId, studyId),
        reviews: runId === null ? [] : store.reviews.ofStudy(runId, studyId),
      }
    },
    'patients:neighbours': (request) => reader.read('patients:neighbours', request),
    // The row leads back to the hospital's own table, hence to a person: asked for on purpose, and logged.
    'patients:source-rows': ({ studyId }) => {
      const study = store.patients.getStudy(studyId)
      store.audit.append('source-row.shown', { studyId, cohortId: study.cohortId })
      return { rows: study.rows }
    },
    'reviews:save': ({ studyId, runId, verdict, comment }) => store.reviews.add({ studyId, runId, labelId: null, verdict, comment }),
  }
}
