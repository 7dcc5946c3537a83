import { missingnessTableSchema, type Loss, type LossDriver, type LossMechanism, type LossTarget, type MissingnessSettings, type MissingnessTable, type TabularColumn } from '../../../engine/domain/missingness.ts'
import type { Split } from '../../../engine/domain/run.ts'
import type { Modality, Slot } from '../../../engine/domain/slots.ts'

/** The sides of a split in the order of the form. */
export const missingnessSides = ['train', 'val', 'test'] as const satisfies readonly Split[]

/** How the losses of a side stand to each other. */
export type Together = 'independent' | 'correlated' | 'exclusive'

/** What a run has for a loss to depend on, besides age and sex. */
export interface LossDrivers { labelIds: readonly number[]; columns: readonly TabularColumn[] }

/** What drives a loss, as one choice of the form. A text's own length is only offered where text is lost. */
export interface MechanismChoice { value: string; mechanism: 'mcar' | 'mar' | 'mnar'; driver: LossDriver | null }

const usualStrength = 1
const usualRate = 0.3
const usualCorrelation = 0.5

export const emptyTable = (): MissingnessTable => missingnessTableSchema.parse({})

/** One more loss: the first target that is not lost yet, 30 % completely at random. */
export function addLoss(table: MissingnessTable, slots: readonly Slot[]): MissingnessTable {
  const taken = new Set(table.losses.map((loss) => keyOfTarget(loss.target)))
  const [first] = targetsOf(slots)
  const target = targetsOf(slots).find((candidate) => !taken.has(keyOfTarget(candidate))) ?? first
  if (target === undefined) return table
  return { ...table, losses: [...table.losses, { target, rate: usualRate, mechanism: { kind: 'mcar' } }] }
}

/** All of one modality, then single slots of a modality that has several: both eyes, or one of them. */
export function targetsOf(slots: readonly Slot[]): LossTarget[] {
  const modalities = [...new Set(slots.map((slot) => slot.modality))]
  const several = new Set(modalities.filter((modality: Modality) => slots.filter((slot) => slot.modality === modality).length > 1))
  return [
    ...modalities.map((modality): LossTarget => ({ kind: 'modality', modality })),
    ...slots.filter((slot) => several.has(slot.modality)).map((slot): LossTarget => ({ kind: 'slot', slotId: slot.slotId })),
  ]
}

export const keyOfTarget = (target: LossTarget): string => (target.kind === 'modality' ? `modality:${target.modality}` : `slot:${target.slotId}`)

/** What may drive the loss of a target: nothing, age, sex, a column of a table; a label, the lost table's own column or the length of the lost text itself, which makes it MNAR. */
export function mechanismsOf(target: LossTarget, slots: readonly Slot[], { labelIds, columns }: LossDrivers): MechanismChoice[] {
  const known = columns.filter(({ slotId }) => slots.some((slot) => slot.slotId === slotId))
  const isLost = (slotId: string): boolean => (target.kind === 'slot' ? target.slotId === slotId : target.modality === 'tabular')
  const byColumn = (mechanism: 'mar' | 'mnar') => known.filter(({ slotId }) => isLost(slotId) === (mechanism === 'mnar'))
    .map((column): MechanismChoice => ({ value: `${mechanism}:column:${column.slotId}:${column.column}`, mechanism, driver: { kind: 'column', ...column } }))
  const isText = target.kind === 'modality' ? target.modality === 'text' : slots.some((slot) => slot.slotId === target.slotId && slot.modality === 'text')
  return [
    { value: 'mcar', mechanism: 'mcar', driver: null },
    { value: 'mar:age', mechanism: 'mar', driver: { kind: 'age' } },
    { value: 'mar:sex', mechanism: 'mar', driver: { kind: 'sex' } },
    ...byColumn('mar'),
    ...labelIds.map((labelId): MechanismChoice => ({ value: `mnar:label:${labelId}`, mechanism: 'mnar', driver: { kind: 'label', labelId } })),
    ...byColumn('mnar'),
    ...(isText ? [{ value: 'mnar:word-count', mechanism: 'mnar' as const, driver: { kind: 'word-count' as const } }] : []),
  ]
}

/** The choice that a mechanism is. */
export function choiceOfMechanism(mechanism: LossMechanism): string {
  if (mechanism.kind === 'mcar') return 'mcar'
  const { driver } = mechanism
  return `${mechanism.kind}:${driver.kind}${driver.kind === 'label' ? `:${driver.labelId}` : driver.kind === 'column' ? `:${driver.slotId}:${driver.column}` : ''}`
}

export function withMechanism(loss: Loss, { mechanism, driver }: MechanismChoice): Loss {
  if (mechanism === 'mcar' || driver === null) return { ...loss, mechanism: { kind: 'mcar' } }
  const strength = loss.mechanism.kind === 'mcar' ? usualStrength : loss.mechanism.strength
  return { ...loss, mechanism: { kind: mechanism, driver, strength } }
}

/** Another target keeps its mechanism where that is possible. */
export function withTarget(loss: Loss, target: LossTarget, slots: readonly Slot[], drivers: LossDrivers): Loss {
  const isPossible = mechanismsOf(target, slots, drivers).some(({ value }) => value === choiceOfMechanism(loss.mechanism))
  return { ...loss, target, mechanism: isPossible ? loss.mechanism : { kind: 'mcar' } }
}

export function togetherOf(table: MissingnessTable): Together {
  return table.exclusive ? 'exclusive' : table.correlation === 0 ? 'independent' : 'correlated'
}

export function withTogether(table: MissingnessTable, together: Together): MissingnessTable {
  return { ...table, exclusive: together === 'exclusive', correlation: together === 'correlated' ? usualCorrelation : 0 }
}

/** The settings with one side changed; null, which stands for "as it is on every side", when no side loses anything any more. */
export function withSide(settings: MissingnessSettings | null, side: Split, table: MissingnessTable): MissingnessSettings | null {
  const next = { ...(settings ?? { train: emptyTable(), val: emptyTable(), test: emptyTable() }), [side]: table }
  return missingnessSides.every((name) => next[name].losses.length === 0) ? null : next
}

/** Without what the run no longer has: losses of items, and causes of losses, that were taken out of it. */
export function withoutAbsent(settings: MissingnessSettings | null, slots: readonly Slot[], drivers: LossDrivers): MissingnessSettings | null {
  if (settings === null) return null
  const known = new Set(targetsOf(slots).map(keyOfTarget))
  const isKnown = (loss: Loss): boolean => known.has(keyOfTarget(loss.target))
  return missingnessSides.reduce<MissingnessSettings | null>((all, side) => {
    const table = settings[side]
    return withSide(all, side, { ...table, losses: table.losses.filter(isKnown).map((loss) => withTarget(loss, loss.target, slots, drivers)) })
  }, settings)
}
