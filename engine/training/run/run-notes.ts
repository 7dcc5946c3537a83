import { describePattern } from '../../domain/slots.ts'
import { backboneNotes } from '../session/backbone-notes.ts'
import { countTruncatedTexts } from '../inputs/inputs.ts'
import type { PreparedRun } from './prepare-run.ts'
import { minimumPhaseStudies } from './train-fold.ts'

/** What a reader of the results must know and would not see. */
export function notesOf(run: PreparedRun): string[] {
  const { session, spec, showing, phases } = run
  const { slots, studies, assignments, config } = spec
  const notes: string[] = backboneNotes(session, config, slots)
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
