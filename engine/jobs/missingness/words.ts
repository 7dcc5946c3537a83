import type { Loss, LossDriver, LossTarget, MissingnessDescription } from '../../domain/missingness.ts'
import type { RunConfig, Split } from '../../domain/run.ts'
import { describePattern, slotIdsOfPattern, type Modality, type Slot } from '../../domain/slots.ts'
import { slotsOfTarget, type DrawnTable } from '../../training/missingness/missingness-table.ts'

export interface SideOfRun {
  side: Split
  config: RunConfig
  slots: readonly Slot[]
  labelNames: readonly string[]
  studies: readonly { pattern: string }[]
  isOnSide: readonly boolean[]
  table: DrawnTable
}

const sideNames: Record<Split, string> = { train: 'Training', val: 'Validation', test: 'Test' }
const modalityNames: Record<Modality, string> = { image: 'images', text: 'text', tabular: 'tabular values' }
/** What a positive strength prefers: a category counts as 1 where it is the most frequent one. */
const higherWords: Record<LossDriver['kind'], string> = { age: 'higher', sex: 'the more frequent one', column: 'higher, or its most frequent value', label: 'present', 'word-count': 'greater' }
const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`

/** One side of a run in words, with what was really drawn beside what was asked for, and each pattern's count before and after. */
export function describeSide(of: SideOfRun): MissingnessDescription {
  const { side, config, slots, studies, table } = of
  const indices = studies.flatMap((_, index) => (of.isOnSide[index] ? [index] : []))
  const settings = config.missingness?.[side]
  const legacy = config.missingness === null && side !== 'test' ? config.trainMissingness : null
  const losses: Loss[] = settings?.losses ?? (legacy === null ? [] : (['image', 'text'] as const).filter((modality) => legacy[modality] > 0)
    .map((modality) => ({ target: { kind: 'modality', modality }, rate: legacy[modality], mechanism: { kind: 'mcar' } })))
  const sentences = [`${sideNames[side]} studies: ${indices.length}${config.split.kind === 'k-fold' ? `, each in some of the ${config.split.folds} folds` : ''}.`]
  if (losses.length === 0) sentences.push('Nothing is hidden on top of what is really missing.')
  for (const loss of losses) sentences.push(describeLoss(loss, of, indices))
  for (const name of labelsThatDrive(losses, of)) sentences.push(`Which items are left tells the label "${name}" by itself here: what a model shows under these losses is partly the simulation.`)
  if (losses.length > 1) sentences.push(describeTogether(settings ?? { exclusive: true, correlation: 0 }))
  const spared = table.restored.filter((index) => of.isOnSide[index]).length
  if (spared > 0) sentences.push(`${spared} of these ${indices.length} studies would have been left with nothing and ${spared === 1 ? 'keeps' : 'keep'} what one of the losses would have taken, so the shares come out lower than asked for.`)
  if (settings !== undefined && losses.length > 0) sentences.push(`Seed ${settings.seed}.`)
  const counts = new Map<string, { natural: number; shown: number }>()
  const countOf = (pattern: string) => counts.get(pattern) ?? counts.set(pattern, { natural: 0, shown: 0 }).get(pattern)!
  for (const index of indices) {
    countOf(studies[index]!.pattern).natural++
    countOf(table.patterns[index]!).shown++
  }
  const patterns = [...counts].map(([pattern, count]) => ({ pattern, title: describePattern(slots, pattern), ...count }))
  patterns.sort((a, b) => b.shown - a.shown || b.natural - a.natural || (a.pattern < b.pattern ? -1 : 1))
  return { side, sentences, patterns }
}

/** Labels that the pattern alone tells about, because a loss depends on them. */
function labelsThatDrive(losses: readonly Loss[], { config, labelNames }: SideOfRun): string[] {
  return [...new Set(losses.flatMap(({ mechanism, rate }) => {
    if (mechanism.kind !== 'mnar' || mechanism.driver.kind !== 'label' || mechanism.strength === 0 || rate === 0 || rate === 1) return []
    return [labelNames[config.labelIds.indexOf(mechanism.driver.labelId)] ?? '']
  }))]
}

function describeLoss(loss: Loss, of: SideOfRun, indices: readonly number[]): string {
  const targets = new Set(slotsOfTarget(of.slots, loss.target))
  const has = (pattern: string) => slotIdsOfPattern(pattern).some((slotId) => targets.has(slotId))
  const eligible = indices.filter((index) => has(of.studies[index]!.pattern))
  const lost = eligible.filter((index) => !has(of.table.patterns[index]!)).length
  const drawn = eligible.length === 0 ? 'no study has it' : `drawn in ${lost} of ${eligible.length}, ${percent(lost / eligible.length)}`
  return `${capitalised(targetName(loss.target, of.slots))}: hidden ${mechanismWords(loss, of)}; asked for in ${percent(loss.rate)} of the studies that have it, ${drawn}.`
}

function mechanismWords({ mechanism, target }: Loss, of: SideOfRun): string {
  if (mechanism.kind === 'mcar') return 'completely at random'
  const { driver, strength } = mechanism
  const names: Record<typeof driver.kind, () => string> = {
    age: () => 'age', sex: () => 'sex',
    column: () => `"${driver.kind === 'column' ? driver.column : ''}"`,
    label: () => `the label "${driver.kind === 'label' ? of.labelNames[of.config.labelIds.indexOf(driver.labelId)] : ''}"`,
    'word-count': () => 'the length of the text itself',
  }
  const kind = mechanism.kind === 'mar' ? 'at random given' : 'not at random, by'
  const more = strength >= 0 ? 'more' : 'less'
  return `${kind} ${names[driver.kind]()} (${more} often where it is ${higherWords[driver.kind]}: log-odds ${strength >= 0 ? '+' : ''}${strength} for each standard deviation)${target.kind === 'slot' ? ', this one alone' : ''}`
}

function describeTogether({ exclusive, correlation }: { exclusive: boolean; correlation: number }): string {
  if (exclusive) return 'No study loses more than one of these.'
  if (correlation === 0) return 'The losses are independent of each other.'
  return correlation > 0 ? `A study that loses one of these tends to lose the others (correlation ${correlation}).` : `A study that loses one of these tends to keep the other (correlation ${correlation}).`
}

function targetName(target: LossTarget, slots: readonly Slot[]): string {
  return target.kind === 'modality' ? modalityNames[target.modality] : (slots.find((slot) => slot.slotId === target.slotId)?.title ?? target.slotId)
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
