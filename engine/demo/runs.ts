import type { RunConfigInput } from '../domain/run.ts'

export interface DemoRun {
  settings: Omit<RunConfigInput, 'cohortId' | 'slotIds' | 'labelIds'> & { name: string }
  /** Trained on complete patients, a missing modality enters as a blank input: what the claim of the demo is about. */
  isMissingBlind: boolean
}

/** A large test side, because the demo is there to compare; resources/demo/README.md gives the counts. */
const split: DemoRun['settings']['split'] = { kind: 'holdout', train: 0.45, val: 0.15, test: 0.4 }
/** The longest note of the generator has 79 word pieces. */
const shared = { split, maxTextTokens: 80 }
/** A fifth of the patients makes a fifth of the steps in an epoch: more epochs, so that the habit does not lose for want of training. */
const blind = { trainOn: 'complete', modalityDropout: 0, epochs: 60, patience: 15 } as const
const aware = { patience: 8 } as const

/** The runs of the demo, MoRA first; all on one cohort, split and seed. */
export const demoRuns: readonly DemoRun[] = [
  // The last block instead of the paper's first: everything below it is computed once, and five minutes allow many more patients.
  { settings: { ...shared, ...aware, adapter: 'mora', mora: { blocks: [5] }, name: 'MoRA' }, isMissingBlind: false },
  { settings: { ...shared, adapter: 'head-only', ...blind, name: 'Missing-blind head, complete patients' }, isMissingBlind: true },
  { settings: { ...shared, adapter: 'zero-fill', ...blind, name: 'Missing-blind probe, complete patients' }, isMissingBlind: true },
  { settings: { ...shared, ...aware, adapter: 'head-only', name: 'Head, all patients, modality dropout' }, isMissingBlind: false },
  { settings: { ...shared, ...aware, adapter: 'zero-fill', name: 'Probe, all patients, modality dropout' }, isMissingBlind: false },
]
