import type { RunConfigInput } from '../../../engine/domain/run.ts'

/** One line of the study's table. */
export interface StudyEntry {
  name: string
  settings: Partial<RunConfigInput>
}

/**
 * Every method as a run would train it (modality dropout 0.3), and the habits it is compared with. Two at the end are alarms and not
 * competitors: they show what can be had without looking at the patient.
 */
export const studyEntries: readonly StudyEntry[] = [
  { name: 'mora', settings: { adapter: 'mora' } },
  // As the paper: a missing modality enters as the blank input.
  { name: 'mora-dummy', settings: { adapter: 'mora', mora: { missingEnters: 'dummy' } } },
  { name: 'ssf', settings: { adapter: 'ssf' } },
  // As the paper: the base is trained as a whole before its combinations.
  { name: 'ssf-base-network', settings: { adapter: 'ssf', ssf: { base: 'network' } } },
  { name: 'lora', settings: { adapter: 'lora' } },
  { name: 'lora-combination', settings: { adapter: 'lora', lora: { by: 'combination' } } },
  { name: 'lora-combination-base-network', settings: { adapter: 'lora', lora: { by: 'combination', base: 'network' } } },
  { name: 'prompt', settings: { adapter: 'prompt' } },
  { name: 'bitfit', settings: { adapter: 'bitfit' } },
  { name: 'norm-tuning', settings: { adapter: 'norm-tuning' } },
  // The head at the run's rate like every other method; the backbone's own weights at 0.03 of it (full.backboneRate), which is 3e-5.
  { name: 'full', settings: { adapter: 'full' } },
  { name: 'late-fusion', settings: { adapter: 'late-fusion' } },
  { name: 'late-fusion-learned', settings: { adapter: 'late-fusion', 'late-fusion': { substitute: 'learned' } } },
  { name: 'late-fusion-mean', settings: { adapter: 'late-fusion', 'late-fusion': { substitute: 'mean' } } },
  { name: 'late-fusion-sum', settings: { adapter: 'late-fusion', 'late-fusion': { head: 'logit-sum' } } },
  { name: 'dedicated', settings: { adapter: 'dedicated' } },
  { name: 'head-only', settings: { adapter: 'head-only', modalityDropout: 0 } },
  { name: 'modality-dropout', settings: { adapter: 'head-only' } },
  { name: 'zero-fill', settings: { adapter: 'zero-fill', modalityDropout: 0 } },
  { name: 'zero-fill-dropout', settings: { adapter: 'zero-fill' } },
  { name: 'mean-fill', settings: { adapter: 'mean-fill', modalityDropout: 0 } },
  { name: 'text-only', settings: { adapter: 'text-only', modalityDropout: 0 } },
  // A bias and a few weights: at the usual rate twenty epochs would not even carry them to the labels' frequencies.
  { name: 'missingness-only', settings: { adapter: 'missingness-only', modalityDropout: 0, learningRate: 0.05 } },
]
