import type { Delivery } from '../../domain/deliveries.ts'
import type { ImportedStudy } from '../../domain/import.ts'
import type { ImportSource, Mapping } from '../../domain/mapping.ts'
import { AppError } from '../../domain/errors.ts'
import type { Store } from '../open.ts'
import type { Seal } from '../sealed-store.ts'

/** Seals the places of the original files of every study. */
export function sealStudies(studies: readonly ImportedStudy[], seal: Seal['seal']): ImportedStudy[] {
  return studies.map((study) => ({ ...study, items: study.items.map((item) => (item.sourcePath === null ? item : { ...item, sourcePath: seal(item.sourcePath) })) }))
}

/** The part of the sealed store that has to do with deliveries, originals and saved mappings. */
export function sealDeliveries(store: Store, { seal, unseal }: Seal, mapWords: (mapping: Mapping, change: (text: string) => string) => Mapping): Pick<Store, 'deliveries' | 'originals' | 'savedMappings'> {
  const { deliveries, originals, savedMappings } = store
  const sealSource = (source: ImportSource): ImportSource => ({ ...source, sourceDir: seal(source.sourceDir), tableFile: seal(source.tableFile) })
  const openSource = (source: ImportSource): ImportSource => ({ ...source, sourceDir: unseal(source.sourceDir), tableFile: unseal(source.tableFile) })
  // A list must come up even beside the wrong key, or nobody could read the message.
  const shown = (delivery: Delivery): Delivery => {
    try {
      return { ...delivery, source: openSource(delivery.source) }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { ...delivery, source: { ...delivery.source, sourceDir: '(sealed with another key)', tableFile: '(sealed with another key)' } }
    }
  }
  return {
    deliveries: {
      ...deliveries,
      begin: (draft) => deliveries.begin({ ...draft, mapping: mapWords(draft.mapping, seal), source: sealSource(draft.source) }),
      open: (cohortId) => {
        const open = deliveries.open(cohortId)
        return open && { ...open, request: { ...open.request, mapping: mapWords(open.request.mapping, unseal), source: openSource(open.request.source) } }
      },
      addBatch: (deliveryId, studies, nextOrdinal) => deliveries.addBatch(deliveryId, sealStudies(studies, seal), nextOrdinal),
      list: (cohortId) => deliveries.list(cohortId).map(shown),
    },
    originals: {
      ...originals,
      folders: (cohortId) => originals.folders(cohortId).map((folder) => ({ ...folder, sourceDir: unseal(folder.sourceDir) })),
      files: (cohortId, deliveryId) => originals.files(cohortId, deliveryId).map((file) => ({ ...file, path: unseal(file.path) })),
      relink: (cohortId, deliveryId, sourceDir, seen) => originals.relink(cohortId, deliveryId, seal(sourceDir), seen),
    },
    savedMappings: {
      ...savedMappings,
      save: (name, content) => savedMappings.save(name, seal(content)),
      list: () => savedMappings.list().map((mapping) => ({ ...mapping, content: unseal(mapping.content) })),
      get: (mappingId) => {
        const mapping = savedMappings.get(mappingId)
        return { ...mapping, content: unseal(mapping.content) }
      },
    },
  }
}
