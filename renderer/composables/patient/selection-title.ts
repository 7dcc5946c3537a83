import type { Label } from '../../../engine/domain/records.ts'
import type { Selection } from '../../../engine/domain/selection.ts'
import type { Slot } from '../../../engine/domain/slots.ts'
import { enPatients } from '../../locales/en-patients.ts'
import { formatCount } from '../common/format.ts'

/** What a selection of the fingerprint is of, in words: the name of its chip above the list. */
export function titleOfSelection(selection: Selection, slots: readonly Slot[], labels: readonly Label[]): string {
  const text = enPatients.list.selection
  const item = (slotId: string): string => slots.find((slot) => slot.slotId === slotId)?.title ?? slotId
  const label = (labelId: number | null): string => labels.find((entry) => entry.labelId === labelId)?.name ?? text.label
  const range = ({ edges, index }: { edges: number[]; index: number }): string => text.range(formatCount(edges[index] ?? 0), formatCount(edges[index + 1] ?? 0))
  switch (selection.kind) {
    case 'all': return text.all
    case 'several-studies': return text.several
    case 'sex': return text.sex(selection.sex)
    case 'age': return text.age(range(selection))
    case 'site': return text.site(selection.site)
    case 'present': return text.present(item(selection.slotId))
    case 'absent': return text.absent(item(selection.slotId), enPatients.reasons[selection.reason])
    case 'patients-without': return text.without(item(selection.slotId))
    case 'labels': return text.labels([...new Set(selection.labelIds)].map(label).join(' + '))
    case 'group': {
      const group = selection.factor === 'label' ? text.groupOfLabel(label(selection.labelId), selection.group === 'yes') : text.group(text.factors[selection.factor], selection.group)
      return selection.isLacking ? text.lacking(group, item(selection.slotId)) : group
    }
    case 'image': {
      const { feature } = selection
      const what = feature.what === 'format' ? text.features.format(feature.format.toUpperCase()) : feature.what === 'size' ? text.features.size(String(feature.widthPx), String(feature.heightPx))
        : feature.what === 'channels' ? text.features.channels(feature.channels === 1) : feature.what === 'bin' ? text.features[feature.measure](range(feature)) : text.features[feature.what]
      return text.image(item(selection.slotId), what)
    }
    case 'same-image': return text.sameImage(item(selection.slotId))
    case 'duplicates': return selection.isAcross ? text.duplicatesAcross : text.duplicates
    case 'unreadable': return text.unreadable(item(selection.slotId), selection.detail)
    case 'studies': return text.studies[selection.why]
  }
}
