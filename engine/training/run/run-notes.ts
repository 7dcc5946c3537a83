import type { Network } from '../../adapters/network.ts'
import { trainsBaseNetwork } from '../../domain/method-settings.ts'
import { describePattern } from '../../domain/slots.ts'
import { backboneNotes } from '../session/backbone-notes.ts'
import { countTrained } from '../session/session.ts'
import { countTruncatedTexts } from '../inputs/inputs.ts'
import type { PreparedRun } from './prepare-run.ts'
import { minimumPhaseStudies } from './train-fold.ts'

/** What the base of methods with one set for each combination is, and how much each stage trains: a reader of a share must know of what. */
export function baseNotes(network: Network, { phases, spec: { config }, session }: PreparedRun): string[] {
  const [base, ...later] = phases
  if (base?.isBase !== true) return []
  const settings = config.adapter === 'lora' ? config.lora : config.ssf
  const isWhole = trainsBaseNetwork(settings, session.backbone.id)
  const total = network.frozenParameterCount + network.parameters.count()
  const own = later.map((phase) => countTrained(network, phase))
  const words = isWhole ? 'a copy of the whole network' : settings.base === 'auto' ? 'the head alone, because the embedded backbone was chosen' : 'the head alone'
  const count = (value: number): string => `${value.toLocaleString('en-GB')} (${((100 * value) / total).toFixed(2)} %)`
  return [`The base on complete patients trains ${words}: ${count(countTrained(network, base))} of ${total.toLocaleString('en-GB')} parameters.${own.length === 0 ? '' : ` Each of the ${own.length} combinations after it trains ${count(Math.max(...own))} on top of the frozen base.`}`]
}

/** What a reader of the results must know and would not see. */
export function notesOf(run: PreparedRun): string[] {
  const { session, spec, showing, phases } = run
  const { slots, studies, assignments, config } = spec
  const notes: string[] = backboneNotes(session, config, slots)
  const others = spec.otherClassCount ?? 0
  if (others > 0) notes.push(`${others} ${others === 1 ? 'study has' : 'studies have'} a class that was not chosen: neither trained on nor counted in results.`)
  if (config.trainOn === 'complete') notes.push('Trained on complete patients only.')
  const folds = assignments.map((_, fold) => fold)
  for (const phase of run.hasPhases ? phases : []) {
    const thin = folds.filter((fold) => run.membersOf(fold, 'train', phase).length < minimumPhaseStudies)
    if (thin.length > 0) notes.push(`"${phase.name}" was not trained in ${thin.length} of ${folds.length} ${folds.length === 1 ? 'split' : 'folds'}: fewer than ${minimumPhaseStudies} training studies have it.`)
  }
  const trainedOn = new Set(folds.flatMap((fold) => run.trainedPatternsOf(fold)))
  const unseen = [...new Set(studies.flatMap((_, index) => showing.whatIf(index)))].filter((pattern) => !trainedOn.has(pattern))
  if (unseen.length > 0) {
    notes.push(`No training patient showed ${unseen.map((pattern) => `"${describePattern(slots, pattern)}"`).join(', ')}: predictions under ${unseen.length === 1 ? 'this pattern' : 'these patterns'} are extrapolation.`)
  }
  const truncated = countTruncatedTexts(slots, studies, session.reader, config.maxTextTokens)
  if (truncated > 0) notes.push(`The text of ${truncated} of ${studies.length} studies is longer than ${session.reader.textTokens(config.maxTextTokens)} tokens and was cut.`)
  const hidden = (['train', 'val'] as const).flatMap((side) => {
    const onSide = studies.flatMap((_, index) => (assignments.some((fold) => fold[index] === side) ? [index] : []))
    const lost = onSide.filter((index) => showing.tables[side][index] !== showing.natural[index]).length
    const seed = config.missingness === null ? config.seed : config.missingness[side].seed
    return lost === 0 ? [] : [`${lost} of ${onSide.length} ${side === 'train' ? 'training' : 'validation'} studies (seed ${seed})`]
  })
  if (hidden.length > 0) notes.push(`Simulated missingness hid items in ${hidden.join(' and ')}.`)
  return notes
}
