import { createHash } from 'node:crypto'
import type { Phase } from '../../adapters/method.ts'
import type { Network } from '../../adapters/network.ts'
import { AppError } from '../../domain/errors.ts'
import type { TrainingStudy } from '../../domain/exchange.ts'
import type { RunConfig } from '../../domain/run.ts'
import { slotIdsOfPattern } from '../../domain/slots.ts'
import type { TabularStatistics } from '../../modalities/tabular.ts'
import type { JobContext, TrainingSpec } from '../../protocol.ts'
import { createSampleBuilder, planModalities, tabularStatisticsOf, type ModalityPlan } from '../inputs/inputs.ts'
import type { ImageFile } from '../inputs/grid-cache.ts'
import { createInputGuard, createPrefixes, type Prefixes, type Shown } from '../inputs/prefixes.ts'
import { notesOf } from './run-notes.ts'
import { cachesBlockOutput, phasesOf, type Session } from '../session/session.ts'
import { createShowing, type Showing } from '../missingness/showing.ts'
import { indicesOn, minimumPhaseStudies } from './train-fold.ts'

/** Fewer complete studies than this cannot be trained or validated on. */
const minimumCompleteStudies = 3

/** The one phase of methods that have no others. */
export const wholePhase: Phase = { name: 'all', shows: 'own-pattern', trains: () => true, epochsShare: 1 }

/** A study of the run by index, with the pattern it is shown under. */
export type Member = readonly [index: number, pattern: string]

/** Everything the folds of a run share. */
export interface PreparedRun {
  session: Session
  spec: TrainingSpec
  context: JobContext
  plan: ModalityPlan
  phases: readonly Phase[]
  /** Whether the method names its phases; else there is one over everything. */
  hasPhases: boolean
  showing: Showing
  /** Studies on one side of a fold that take part in a phase. */
  membersOf: (fold: number, side: 'train' | 'val', phase: Phase) => readonly Member[]
  /** Every pattern that some training study of the fold was shown to the model that answers, after the first `reached` phases; absent: after all. */
  trainedPatternsOf: (fold: number, reached?: number) => string[]
  prefixesOf: (fold: number) => Prefixes
  /** How the fold standardises tables; undefined without tables. */
  tabularOf: (fold: number) => TabularStatistics | undefined
  /** Computes the frozen inputs that a fold's training and validation need and that are not there yet. */
  fillPrefixes: (network: Network, fold: number) => Promise<void>
  notes: string[]
  /** Ties a resume state to exactly this configuration, split, data and backbone. */
  fingerprint: string
  dispose: () => void
}

/** At most this many epochs in a phase. */
export function epochsOf(config: RunConfig, phase: Phase): number {
  return Math.max(1, Math.round(phase.epochsShare * config.epochs))
}

/** Opens the images of a run (features of new ones are computed) and works out who is shown what; trains nothing. */
export async function prepareRun(session: Session, spec: TrainingSpec, context: JobContext): Promise<PreparedRun> {
  const { config, slots, studies } = spec
  const plan = planModalities(slots, config.mora.modalitiesBy)
  const named = phasesOf(config, plan)
  const phases = named ?? [wholePhase]
  const showing = createShowing(slots, plan, studies, config, spec.shown)
  const notes: string[] = []
  const guard = createInputGuard(session.compute.tf, notes)
  const images = await session.reader.openImages(imagesOf(spec), { cacheDir: spec.cacheDir, context, guard })
  const open = (tables: TabularStatistics) => createPrefixes({
    studies, slots, context, guard, buildSample: createSampleBuilder(slots, plan, session.reader, images, config.maxTextTokens, tables),
    inputKey: `${session.backbone.weightsHash.slice(0, 16)} ${config.maxTextTokens} ${JSON.stringify(tables)}`,
    withBlockOutput: cachesBlockOutput(config), cacheDir: spec.cacheDir, runId: spec.runId,
  })

  const membersOf = memoised((fold: number, side: 'train' | 'val', phase: Phase): readonly Member[] =>
    studiesOnSide(spec, showing, fold, side).flatMap((index): Member[] => {
      const pattern = showing.inPhase(index, side, phase)
      return pattern === null ? [] : [[index, pattern]]
    }))
  const hasDropout = (phase: Phase) => phase.shows === 'own-pattern' && config.modalityDropout > 0
  const trainedPatternsOf = (fold: number, reached = phases.length): string[] => {
    const held = phases.slice(0, reached).filter((phase) => membersOf(fold, 'train', phase).length >= minimumPhaseStudies)
    // Where the parts were joined, the joined model answers: what a part saw alone before that, the joined model did not see.
    const joined = held.filter(({ shows }) => shows === 'own-pattern')
    const patterns = (joined.length > 0 ? joined : held).flatMap((phase) =>
      membersOf(fold, 'train', phase).flatMap(([, pattern]) => [pattern, ...(hasDropout(phase) ? showing.reductionsOf(pattern) : [])]))
    return [...new Set(patterns)].sort()
  }
  refuseWithoutBase(spec, phases, membersOf)
  const tabularOf = (fold: number): TabularStatistics => tabularStatisticsOf(plan, membersOf(fold, 'train', wholePhase).map(([index, pattern]) => {
    // What simulated missingness hides is hidden from means and spreads too.
    const shown = new Set(slotIdsOfPattern(pattern))
    return { items: studies[index]!.items.filter((item) => shown.has(item.slotId)) }
  }))
  // Tables are standardised by the training patients of a fold, so that fold's inputs are its own; without tables all folds share theirs.
  const hasTables = plan.tabularIndexOfSlot.size > 0
  let opened: { fold: number; prefixes: Prefixes } | null = null
  const prefixesOf = (fold: number): Prefixes => {
    if (opened === null || (hasTables && opened.fold !== fold)) {
      opened?.prefixes.dispose()
      opened = { fold, prefixes: open(hasTables ? tabularOf(fold) : {}) }
    }
    return opened.prefixes
  }
  const run: PreparedRun = {
    tabularOf: (fold) => (hasTables ? tabularOf(fold) : undefined),
    session, spec, context, plan, phases, showing, membersOf, trainedPatternsOf,
    hasPhases: named !== null,
    prefixesOf,
    fillPrefixes: (network, fold) => {
      const shown = phases.flatMap((phase): Shown[] => [
        ...membersOf(fold, 'train', phase).flatMap(([index, pattern]) => [pattern, ...(hasDropout(phase) ? showing.reductionsOf(pattern) : [])].map((each) => ({ index, pattern: each }))),
        ...membersOf(fold, 'val', phase).map(([index, pattern]) => ({ index, pattern })),
      ])
      const thresholds = membersOf(fold, 'val', wholePhase).map(([index, pattern]) => ({ index, pattern }))
      const counted = network.statistics === undefined ? [] : membersOf(fold, 'train', wholePhase).map(([index, pattern]) => ({ index, pattern }))
      return prefixesOf(fold).fill(network, [...shown, ...thresholds, ...counted], 'Preparing inputs')
    },
    notes,
    fingerprint: fingerprintOf(session, spec, showing),
    dispose: () => opened?.prefixes.dispose(),
  }
  notes.push(...notesOf(run))
  return run
}

/** Studies on one side of a fold: all, or with `trainOn: complete` those that lack nothing. Throws RUN_TOO_FEW_PATIENTS when hardly any is left. */
function studiesOnSide(spec: TrainingSpec, showing: Showing, fold: number, side: 'train' | 'val'): number[] {
  const all = indicesOn(spec.assignments[fold]!, side)
  if (spec.config.trainOn === 'all') return all
  const complete = all.filter((index) => slotIdsOfPattern(showing.tables[side][index]!).length === spec.slots.length)
  if (complete.length < minimumCompleteStudies) throw new AppError('RUN_TOO_FEW_PATIENTS', `Only ${complete.length} of ${all.length} ${side === 'train' ? 'training' : 'validation'} studies have every chosen item.`)
  return complete
}

/** Sets on top of a base that nobody trained would be trained, and answered, by random numbers. Throws RUN_TOO_FEW_PATIENTS. */
function refuseWithoutBase({ config, assignments }: TrainingSpec, phases: readonly Phase[], membersOf: PreparedRun['membersOf']): void {
  for (const phase of phases.filter(({ isBase }) => isBase === true)) {
    for (const fold of assignments.keys()) {
      const { length } = membersOf(fold, 'train', phase)
      if (length >= minimumPhaseStudies) continue
      throw new AppError('RUN_TOO_FEW_PATIENTS', `"${config.adapter}" begins with a ${phase.name}, and only ${length} training ${length === 1 ? 'study has' : 'studies have'} every modality${assignments.length > 1 ? ` in fold ${fold + 1}` : ''}; at least ${minimumPhaseStudies} are needed.`)
    }
  }
}

/** The image files of a run, named in errors by slot and study number and never by file name. */
export function imagesOf({ slots, studies }: Pick<TrainingSpec, 'slots' | 'studies'>): ImageFile[] {
  const titleOf = new Map(slots.map((slot) => [slot.slotId, slot.title]))
  return studies.flatMap((study) => study.items.filter((item) => item.path !== null).map((item) => ({
    path: item.path!, sha256: item.sha256, frame: item.frame ?? 0, where: `The ${titleOf.get(item.slotId) ?? 'image'} of study ${study.studyId}`,
  })))
}

function memoised(compute: PreparedRun['membersOf']): PreparedRun['membersOf'] {
  const known = new Map<Phase, Map<string, readonly Member[]>>()
  return (fold, side, phase) => {
    let ofPhase = known.get(phase)
    if (ofPhase === undefined) known.set(phase, (ofPhase = new Map()))
    const key = `${fold} ${side}`
    let members = ofPhase.get(key)
    if (members === undefined) ofPhase.set(key, (members = compute(fold, side, phase)))
    return members
  }
}

function fingerprintOf(session: Session, spec: TrainingSpec, showing: Showing): string {
  const hash = createHash('sha256').update(JSON.stringify(spec.config)).update(session.backbone.weightsHash)
  spec.studies.forEach((study: TrainingStudy, index) => {
    hash.update(`\n${study.studyId}`).update(Buffer.from(study.labels.buffer, study.labels.byteOffset, study.labels.byteLength))
    for (const item of study.items) hash.update(`\t${item.slotId}:${item.sha256}`)
    for (const sides of spec.assignments) hash.update(`\t${sides[index]}`)
    hash.update(`\t${showing.tables.train[index]}\t${showing.tables.val[index]}`)
  })
  return hash.digest('hex')
}
