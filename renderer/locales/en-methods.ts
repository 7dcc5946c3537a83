import type { Unfit } from '../composables/run-setup/backbone-fit.ts'
import type { Together } from '../composables/run-setup/missingness-draft.ts'
import type { AdapterName, Split } from '../../engine/domain/run.ts'
import type { Modality } from '../../engine/domain/slots.ts'

/** Strings of the method choice, of every method's settings, and of simulated missingness. Numbers arrive formatted. */

interface SettingText { label: string; hint: string; source?: string; options?: Record<string, string> }

const untrained: SettingText = {
  label: 'A combination never trained', hint: 'Who answers for patients whose combination did not occur in training; a stand-in is marked in every result.', source: 'ours',
  options: { base: 'the fallback', refuse: 'nobody: no prediction' },
}
const missingEnters: SettingText = {
  label: 'What is missing enters as', hint: 'What the model sees in place of a missing image and a missing text. Left out costs no time.',
  options: { 'dummy': 'ones, and no words', 'zeros': 'zeros, and no words', 'left-out': 'nothing: left out' },
}
const adapterRate: SettingText = { label: 'Rate of the adapter', hint: 'Learning rate of the trained part, without the head, in units of the run’s.', source: 'ours: the same for both' }
const embeddings: SettingText = { label: 'Embeddings too', hint: 'Words, positions and image patches of an imported ViLT; slower, because nothing of the input can be kept between epochs. The default model’s image encoder stays as it is.', source: 'ours' }
const combination: Record<string, SettingText> = {
  training: { label: 'Training in', hint: 'First a base on complete patients and then one set for each combination, or everything at once.', source: 'Reza et al. 2023, section 3', options: { 'two-stage': 'two stages', 'joint': 'one stage, together' } },
  baseShare: { label: 'Base phase', hint: 'Share of the epochs that train the base on complete patients; the combinations share the rest.', source: 'ours' },
  base: {
    label: 'The base trains', hint: 'The whole network, or the head alone, as is usual on the default model. The whole network needs memory for five copies of the model and keeps its own weights beside every checkpoint.', source: 'Reza et al. 2023, section 3.1: the whole network',
    options: { auto: 'network; default model: head', network: 'the whole network', head: 'the head alone' },
  },
  baseRate: { label: 'Rate of the base', hint: 'Learning rate of the model’s own weights in the base phase, as a share of the run’s.', source: 'Devlin et al. 2019, appendix A.3' },
  adapterRate,
  trainHead: { label: 'Train the head again', hint: 'With every combination; otherwise it stays as the base learned it.', source: 'Reza et al. 2023, section 3.2: frozen' },
  untrained,
  missingEnters: { ...missingEnters, source: 'Reza et al. 2023, section 4.1' },
}
const blocks: SettingText = { label: 'Blocks', hint: 'Layers of the frozen model that carry the trained part, first to last.' }

const settings: Record<string, SettingText> = {
  'mora.rank': { label: 'Rank', hint: 'Width of the correction; higher can learn more and overfits sooner.', source: 'Shi et al. 2024, section 3' },
  'mora.blocks': { ...blocks, source: 'Shi et al. 2024: first; their ablation: first three' },
  'mora.beside': { label: 'Stands beside', hint: 'Beside the whole block its result can be kept between epochs; beside attention it cannot.', source: 'Shi et al. 2024', options: { block: 'the whole block', attention: 'the attention of the block' } },
  'mora.missingEnters': { ...missingEnters, source: 'Shi et al. 2024: blank input; ours: left out' },
  'mora.modalitiesBy': { label: 'One correction for', hint: 'All images together, or each eye, view and note its own.', source: 'Shi et al. 2024: kind', options: { kind: 'each kind (image, text)', slot: 'each eye, view or note' } },
  'mora.adapterRate': adapterRate,
  ...Object.fromEntries((['ssf', 'lora'] as const).flatMap((adapter) => Object.entries(combination).map(([key, text]) => [`${adapter}.${key}`, text]))),
  'ssf.sites': { label: 'Scale and shift', hint: 'After which layers.', source: 'Lian et al. 2022', options: { all: 'every linear layer and norm', encoder: 'those of the blocks only' } },
  'lora.by': { label: 'One update for', hint: 'All patients, or each combination of what is present.', source: 'Hu et al. 2021: all', options: { all: 'all patients', combination: 'each combination' } },
  'lora.rank': { label: 'Rank', hint: 'Width of the update; higher can learn more and overfits sooner.', source: 'Hu et al. 2021, table 6' },
  'lora.alpha': { label: 'Alpha', hint: 'The update counts alpha divided by rank.', source: 'Hu et al. 2021, section 4.1; the value is ours' },
  'lora.targets': {
    label: 'Layers', hint: 'Which linear layers of each block carry an update.', source: 'Hu et al. 2021, section 4.2',
    options: { query: 'query', key: 'key', value: 'value', output: 'attention output', expand: 'first of the feed-forward', contract: 'second of the feed-forward' },
  },
  'prompt.level': { label: 'Prompts enter', hint: 'Before the tokens of a block, or before the keys and values of its attention.', source: 'Lee et al. 2023, section 3.3', options: { input: 'at the input of each block', attention: 'inside attention' } },
  'prompt.length': { label: 'Prompt length', hint: 'Trained tokens in each prompted block; even inside attention.', source: 'Lee et al. 2023, section 4.1' },
  'prompt.blocks': { ...blocks, source: 'Lee et al. 2023, section 4.1: first six' },
  'prompt.untrained': { ...untrained, options: { base: 'the model without prompts', refuse: 'nobody: no prediction' } },
  'prompt.missingEnters': { ...missingEnters, source: 'Lee et al. 2023' },
  'prompt.adapterRate': adapterRate,
  'bitfit.embeddings': embeddings,
  'bitfit.adapterRate': adapterRate,
  'norm-tuning.embeddings': embeddings,
  'norm-tuning.adapterRate': adapterRate,
  'full.embeddings': embeddings,
  'bitfit.missingEnters': { ...missingEnters, source: 'ours' },
  'norm-tuning.missingEnters': { ...missingEnters, source: 'ours' },
  'full.missingEnters': { ...missingEnters, source: 'ours' },
  'full.backboneRate': { label: 'Rate of the backbone', hint: 'Learning rate of the model’s own weights as a share of the run’s.', source: 'Devlin et al. 2019, appendix A.3' },
  'late-fusion.head': { label: 'Joined by', hint: 'One head over all features, or each modality’s own result added.', source: 'Li et al. 2023, section 4.2', options: { 'concat': 'one head over joined features', 'logit-sum': 'adding each modality’s logits' } },
  'late-fusion.substitute': {
    label: 'In place of a missing modality', hint: 'What the joining head sees instead.', source: 'Li et al. 2023',
    options: { zeros: 'zeros', mean: 'the average of the training patients', learned: 'a learned vector', blank: 'the features of the blank input' },
  },
  'late-fusion.width': { label: 'Feature width', hint: 'Numbers that each modality is summed up in.', source: 'ours, small for hundreds of patients' },
  'late-fusion.unimodalShare': { label: 'Single phase', hint: 'Epochs of each modality alone, as a share of the run’s; joining has them all.', source: 'ours' },
  'dedicated.untrained': { ...untrained, options: { base: 'the model of its largest part', refuse: 'nobody: no prediction' } },
}

export const enMethods = {
  groups: { adapters: 'Adapters on a frozen model', fusion: 'Separate models', baselines: 'Baselines to beat', alarms: 'Alarms: should know nothing' },
  groupHints: {
    adapters: 'Train a small part beside or inside the frozen model.',
    fusion: 'One for each modality, joined late; or one for each combination.',
    baselines: 'What a method has to beat before it is worth having.',
    alarms: 'A good result here means that labels leak.',
  },
  uses: {
    'mora': 'Use first: few patients, modalities missing in training and later.',
    'ssf': 'Use when many patients are complete and each combination is frequent.',
    'lora': 'Use when there are some hundred patients or more.',
    'prompt': 'Use to compare with the work on prompts; slower than MoRA.',
    'bitfit': 'Use as the smallest adaptation inside the model.',
    'norm-tuning': 'Use beside BitFit, as the other smallest adaptation.',
    'full': 'Use with thousands of patients and a graphics card.',
    'late-fusion': 'Use when encoders for text and images are separate, or one modality carries most.',
    'dedicated': 'Use as the measure of what each pattern allows.',
    'head-only': 'Use to see what adaptation adds.',
    'zero-fill': 'Use once beside every method.',
    'mean-fill': 'Use beside zero-fill.',
    'missingness-only': 'Use once for every cohort.',
    'text-only': 'Use once for every cohort with notes.',
  } satisfies Record<AdapterName, string>,
  chosenSettings: (method: string) => `Settings of ${method}`,
  noSettings: 'This method has no settings of its own.',
  /** Fields without words of their own would be a bug; their key is better than nothing. */
  setting: (path: string): SettingText => settings[path] ?? { label: path, hint: '' },
  range: (min: string, max: string, isMinExcluded: boolean) => (isMinExcluded ? `above ${min}, at most ${max}` : `${min} to ${max}`),
  standard: (value: string) => `default ${value}`,
  yes: 'yes',
  no: 'no',
  blockNames: (blockNumbers: string) => (blockNumbers.includes(',') ? `blocks ${blockNumbers}` : `block ${blockNumbers}`),
  backboneUnfit: { method: 'not for this method', text: 'reads no text', image: 'reads no images', broken: 'files changed or incomplete' } satisfies Record<Unfit, string>,
  backboneProblem: (reason: Unfit) => ({
    method: 'This method is placed inside a model that reads text and images together; this backbone has an encoder for each. Choose late fusion, a baseline, or another backbone.',
    text: 'This backbone reads no text. Leave the notes out of the run, or choose another.',
    image: 'This backbone reads no images. Leave the images out of the run, or choose another.',
    broken: 'Its files are changed or incomplete. The Backbones page says which.',
  } satisfies Record<Unfit, string>)[reason],
  missingness: {
    title: 'What is missing',
    hint: 'Patients are shown as they are, or with more taken away on purpose, separately to train, to choose the best epoch, and to test. Nobody is left with nothing.',
    sides: { train: 'Training', val: 'Validation', test: 'Test' } satisfies Record<Split, string>,
    side: (side: string) => `${side} patients are shown`,
    modes: { natural: 'As they are', simulated: 'With simulated losses' },
    loss: (number: number) => `Loss ${number}`,
    target: 'Takes away',
    targets: { image: 'all images', text: 'all text', tabular: 'all tabular values' } satisfies Record<Modality, string>,
    onlyTarget: (title: string) => `${title} alone`,
    rate: 'Share losing it',
    rateUnit: '%',
    mechanism: 'Whom it strikes',
    mechanismNames: {
      'mcar': 'anybody, by chance alone (MCAR)', 'mar:age': 'by age (MAR)', 'mar:sex': 'by sex (MAR)', 'mnar:word-count': 'by its own length (MNAR)',
    } as Record<string, string>,
    byLabel: (label: string) => `by label ${label} (MNAR)`,
    byColumn: (column: string, isLost: boolean) => `by ${column}${isLost ? ', lost with it (MNAR)' : ' (MAR)'}`,
    unknownCause: 'by something that this run does not have',
    strength: 'How strongly',
    strengthHint: 'Log-odds for each standard deviation, −10 to 10; below 0 strikes the lower.',
    add: 'Add a loss',
    remove: (number: number) => `Remove loss ${number}`,
    together: 'Losses of one patient',
    togetherOptions: { independent: 'fall independently', correlated: 'tend to fall together', exclusive: 'at most one' } satisfies Record<Together, string>,
    correlation: 'Correlation',
    correlationHint: '−1 to 1; below 0 only between two.',
    seed: 'Seed',
    same: 'Use the training losses for validation and test too',
    described: 'What will be shown',
    patternColumns: { pattern: 'Items present', natural: 'Really', shown: 'Shown' },
    waiting: 'Counting',
    waitingProblems: 'Correct the marked settings to see the counts.',
    problem: {
      rate: 'From 0 to 100 %.', strength: 'From −10 to 10.', seed: 'A whole number from 0 to 2,147,483,647.', correlation: 'From −1 to 1.', many: 'At most 16 losses.',
    },
    none: 'as they are',
    recordLoss: (target: string, percent: string, mechanism: string) => `${target} from ${percent} %, ${mechanism}`,
  },
}
