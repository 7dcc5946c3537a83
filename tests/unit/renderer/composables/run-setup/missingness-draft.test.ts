import { describe, expect, it } from 'vitest'
import { missingnessSettingsSchema, missingnessTableSchema } from '../../../../../engine/domain/missingness.ts'
import type { Slot } from '../../../../../engine/domain/slots.ts'
import { addLoss, choiceOfMechanism, emptyTable, keyOfTarget, mechanismsOf, targetsOf, togetherOf, withMechanism, withoutAbsent, withSide, withTarget, withTogether } from '../../../../../renderer/composables/run-setup/missingness-draft.ts'

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' }, { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' }, { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]

const only = (...labelIds: number[]) => ({ labelIds, columns: [] })

describe('simulated losses', () => {
  it('offer all images, all text and one eye alone', () => {
    expect(targetsOf(slots).map(keyOfTarget)).toEqual(['modality:image', 'modality:text', 'slot:right-eye', 'slot:left-eye'])
  })
  it('offer the length of a text only where text is lost, and every choice is one that the schema takes', () => {
    const [image, text] = targetsOf(slots)
    expect(mechanismsOf(image!, slots, only(7)).map(({ value }) => value)).toEqual(['mcar', 'mar:age', 'mar:sex', 'mnar:label:7'])
    for (const choice of mechanismsOf(text!, slots, only(7))) {
      const loss = withMechanism(addLoss(emptyTable(), slots).losses[0]!, choice)
      expect(choiceOfMechanism(loss.mechanism)).toBe(choice.value)
      expect(missingnessTableSchema.safeParse({ losses: [loss] }).success).toBe(true)
    }
  })
  it('offer the columns of the tables of the run, as MNAR where the table itself is lost', () => {
    const withTable: Slot[] = [...slots, { slotId: 'laboratory', modality: 'tabular', title: 'Laboratory', letter: 'T' }]
    const drivers = { labelIds: [], columns: [{ slotId: 'laboratory', column: 'CRP' }, { slotId: 'not-chosen', column: 'Site' }] }
    const columnsOf = (target: Parameters<typeof mechanismsOf>[0]) => mechanismsOf(target, withTable, drivers).filter(({ driver }) => driver?.kind === 'column')
    expect(columnsOf({ kind: 'modality', modality: 'image' }).map(({ value }) => value)).toEqual(['mar:column:laboratory:CRP'])
    expect(columnsOf({ kind: 'modality', modality: 'tabular' }).map(({ value }) => value)).toEqual(['mnar:column:laboratory:CRP'])
    const loss = withMechanism(addLoss(emptyTable(), slots).losses[0]!, columnsOf({ kind: 'modality', modality: 'image' })[0]!)
    expect(missingnessTableSchema.safeParse({ losses: [loss] }).success).toBe(true)
    expect(withTarget(loss, { kind: 'modality', modality: 'tabular' }, withTable, drivers).mechanism).toEqual({ kind: 'mcar' })
  })
  it('take the next target that is not lost yet', () => {
    expect(addLoss(addLoss(emptyTable(), slots), slots).losses.map(({ target }) => keyOfTarget(target))).toEqual(['modality:image', 'modality:text'])
    expect(addLoss(emptyTable(), []).losses).toEqual([])
  })
  it('forget a mechanism that the new target cannot have', () => {
    const [image, text] = targetsOf(slots)
    const byLength = withMechanism({ target: text!, rate: 0.3, mechanism: { kind: 'mcar' } }, mechanismsOf(text!, slots, only()).at(-1)!)
    expect(withTarget(byLength, image!, slots, only()).mechanism).toEqual({ kind: 'mcar' })
  })
  it('are correlated or exclude each other, never both', () => {
    for (const together of ['independent', 'correlated', 'exclusive'] as const) {
      const table = withTogether(withTogether(addLoss(emptyTable(), slots), 'correlated'), together)
      expect(togetherOf(table)).toBe(together)
      expect(missingnessTableSchema.safeParse(table).success).toBe(true)
    }
  })
  it('are nothing at all when no side loses anything', () => {
    const settings = withSide(null, 'test', addLoss(emptyTable(), slots))
    expect(missingnessSettingsSchema.safeParse(settings).success).toBe(true)
    expect(withSide(settings, 'test', emptyTable())).toBeNull()
  })
  it('go with the item or label that they are about', () => {
    const [, text] = targetsOf(slots)
    const byLabel = withMechanism({ target: text!, rate: 0.3, mechanism: { kind: 'mcar' } }, mechanismsOf(text!, slots, only(7)).find(({ value }) => value === 'mnar:label:7')!)
    const settings = withSide(null, 'train', { ...emptyTable(), losses: [byLabel] })
    expect(withoutAbsent(settings, slots, only(8))!.train.losses[0]!.mechanism).toEqual({ kind: 'mcar' })
    expect(withoutAbsent(settings, slots.slice(0, 2), only(7))).toBeNull()
  })
})
