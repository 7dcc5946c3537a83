import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { sep } from 'node:path'
import { AppError } from '../domain/errors.ts'
import type { CohortSummary } from '../domain/records.ts'
import type { Mapping } from '../domain/mapping.ts'
import { sealDeliveries } from './deliveries/sealed.ts'
import type { Store } from './open.ts'

/** Begins a sealed text; the 1 is the version of the form. Without slashes, so that a joined path keeps its parts apart. */
const mark = 'sealed-1-'
const nonceBytes = 12
const tagBytes = 16

export interface Seal {
  seal: (text: string) => string
  /** A text without the mark comes back as it is: cohorts imported before paths were sealed. Throws STORE_KEY_INVALID. */
  unseal: (text: string) => string
}

/**
 * AES-256-GCM with a nonce made from the text itself (as in SIV, RFC 5297), so that the same path is always the same stored text and
 * resuming an import writes nothing new. The keys are drawn from the project secret with HKDF, apart from the one of the pseudonyms.
 */
function createSeal(secret: string): Seal {
  const keyFor = (use: string): Buffer => Buffer.from(hkdfSync('sha256', secret, 'lacuna', use, 32))
  const [key, nonceKey] = [keyFor('stored paths'), keyFor('stored paths, nonce')]
  return {
    seal: (text) => {
      // What is sealed stays as it is: an import that was paused before paths were sealed hands on both kinds.
      if (text.startsWith(mark)) return text
      const nonce = createHmac('sha256', nonceKey).update(text, 'utf8').digest().subarray(0, nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return mark + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
    },
    unseal: (text) => {
      if (!text.startsWith(mark)) return text
      const bytes = Buffer.from(text.slice(mark.length), 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
      } catch (error) {
        throw new AppError('STORE_KEY_INVALID', 'The key beside the database is not the one its file paths were sealed with.', { cause: error })
      }
    },
  }
}

/** Whether the paths of a store, as it is stored, open with this secret; true where none is sealed yet. */
export function isSealedWith(store: Store, secret: string): boolean {
  const { unseal } = createSeal(secret)
  try {
    for (const { sourceDir } of store.cohorts.list()) unseal(sourceDir)
    return true
  } catch {
    return false
  }
}

/**
 * The store with the places of original files sealed by the project secret: file names hold patient numbers more often than not, and
 * a copy of the database without its key file must not give them away. What callers see is unsealed.
 */
export function sealStore(store: Store, secret: string): Store {
  const { seal, unseal } = createSeal(secret)
  const openPath = (path: string): string => (path.includes(mark) ? path.split(sep).map(unseal).join(sep) : path)
  const openOrNull = (path: string | null): string | null => (path === null ? null : openPath(path))
  // A list of cohorts must come up even beside the wrong key, or nobody could read the message.
  const openCohort = (cohort: CohortSummary): CohortSummary => ({ ...cohort, sourceDir: shown(cohort.sourceDir), tableFile: shown(cohort.tableFile) })
  const shown = (path: string): string => {
    try {
      return unseal(path)
    } catch {
      return '(sealed with another key)'
    }
  }
  const mapWords = (mapping: Mapping, change: (text: string) => string): Mapping => ({
    ...mapping,
    ...(mapping.privacy ? { privacy: { ...mapping.privacy, words: mapping.privacy.words.map(change), shapes: mapping.privacy.shapes.map(change) } } : {}),
    ...(mapping.join ? { join: { ...mapping.join, table: change(mapping.join.table) } } : {}),
  })
  const { cohorts, imports, patients } = store
  return {
    ...store,
    clearPaths: { ...store.clearPaths, seal: () => store.clearPaths.seal(seal) },
    ...sealDeliveries(store, { seal, unseal }, mapWords),
    cohorts: {
      ...cohorts,
      create: (draft) => cohorts.create({
        ...draft, mapping: mapWords(draft.mapping, seal),
        source: { ...draft.source, sourceDir: seal(draft.source.sourceDir), tableFile: seal(draft.source.tableFile) },
      }),
      get: (cohortId) => openCohort(cohorts.get(cohortId)),
      getByName: (name) => {
        const cohort = cohorts.getByName(name)
        return cohort && openCohort(cohort)
      },
      list: () => cohorts.list().map(openCohort),
      importRequest: (cohortId) => {
        const request = cohorts.importRequest(cohortId)
        const { source } = request
        return { ...request, mapping: mapWords(request.mapping, unseal), source: { ...source, sourceDir: unseal(source.sourceDir), tableFile: unseal(source.tableFile) } }
      },
    },
    imports: {
      ...imports,
      addBatch: (cohortId, studies, nextOrdinal) => imports.addBatch(
        cohortId,
        studies.map((study) => ({ ...study, items: study.items.map((item) => (item.sourcePath === null ? item : { ...item, sourcePath: seal(item.sourcePath) })) })),
        nextOrdinal,
      ),
      sampleImages: (cohortId, count) => imports.sampleImages(cohortId, count).map((image) => ({ ...image, path: unseal(image.path) })),
    },
    patients: {
      ...patients,
      getStudy: (studyId) => {
        const study = patients.getStudy(studyId)
        return { ...study, items: study.items.map((item) => ({ ...item, sourcePath: openOrNull(item.sourcePath) })) }
      },
      itemFile: (studyId, slotId) => {
        const file = patients.itemFile(studyId, slotId)
        return file && { ...file, path: openPath(file.path) }
      },
      trainingStudies: (cohortId, slotIds, labelIds, runId) => patients.trainingStudies(cohortId, slotIds, labelIds, runId)
        .map((study) => ({ ...study, items: study.items.map((item) => ({ ...item, path: openOrNull(item.path) })) })),
    },
  }
}
