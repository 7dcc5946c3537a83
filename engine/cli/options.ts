import { parseArgs } from 'node:util'
import { AppError } from '../domain/errors.ts'

const optionTypes = {
  store: { type: 'string' }, source: { type: 'string' }, table: { type: 'string' }, sheet: { type: 'string' }, profile: { type: 'string' },
  map: { type: 'string' }, cohort: { type: 'string' }, method: { type: 'string' }, config: { type: 'string' }, seed: { type: 'string' },
  slots: { type: 'string' }, labels: { type: 'string' }, folds: { type: 'string' }, epochs: { type: 'string' }, name: { type: 'string' },
  run: { type: 'string' }, out: { type: 'string' }, missing: { type: 'string' }, only: { type: 'string' }, shown: { type: 'string' }, degrade: { type: 'string' },
  use: { type: 'string' },
  from: { type: 'string' }, licence: { type: 'string' }, backbone: { type: 'string' },
  into: { type: 'string' }, changed: { type: 'string' }, 'new-labels': { type: 'string' }, join: { type: 'string' }, on: { type: 'string' }, spread: { type: 'string' }, mapping: { type: 'string' }, quick: { type: 'boolean' },
  frame: { type: 'string' }, delivery: { type: 'string' }, moved: { type: 'string' },
  patient: { type: 'string' }, 'privacy-off': { type: 'string' }, 'privacy-list': { type: 'string' }, 'date-order': { type: 'string' }, dates: { type: 'string' }, characteristics: { type: 'string' }, 'burned-in': { type: 'string' },
  'study-date': { type: 'string' }, 'study-date-order': { type: 'string' }, 'birth-date': { type: 'string' }, 'birth-date-order': { type: 'string' },
  slot: { type: 'string' }, words: { type: 'string' }, patients: { type: 'string' }, studies: { type: 'string' }, alarm: { type: 'string' }, remedy: { type: 'string' }, reason: { type: 'string' }, undo: { type: 'string' },
  json: { type: 'boolean' }, resume: { type: 'boolean' }, help: { type: 'boolean' },
} as const

export type CliOptions = { [K in keyof typeof optionTypes]?: (typeof optionTypes)[K]['type'] extends 'boolean' ? boolean : string }

/** Splits the command line; an unknown option is refused with CLI_USAGE instead of being ignored. */
export function parseCommandLine(argv: readonly string[]): { command: string; action: string; options: CliOptions } {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: optionTypes, allowPositionals: true, strict: true })
    const [command = 'help', ...words] = positionals
    // Only these commands have one more word.
    const action = command === 'backbones' || command === 'mappings' || command === 'deliveries' || command === 'curate' ? words.shift() ?? 'list' : command === 'reidentify' ? words.shift() ?? '' : ''
    if (words.length > 0) throw new AppError('CLI_USAGE', `Unexpected word "${words[0]}".`)
    return { command: values.help ? 'help' : command, action, options: values }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('CLI_USAGE', error instanceof Error ? error.message : String(error))
  }
}

/** The value of an option that a command cannot do without. */
export function required(options: CliOptions, name: Exclude<keyof CliOptions, 'json' | 'resume' | 'help' | 'quick'>): string {
  const value = options[name]
  if (value === undefined || value === '') throw new AppError('CLI_USAGE', `--${name} is missing.`)
  return value
}

/** A whole number of 0 or more. */
export function wholeNumber(options: CliOptions, name: 'seed' | 'run' | 'folds' | 'epochs' | 'undo' | 'remedy' | 'delivery'): number {
  const text = required(options, name)
  if (!/^\d{1,10}$/.test(text)) throw new AppError('CLI_USAGE', `--${name} must be a whole number, not "${text}".`)
  return Number(text)
}

/** `image=0.35,text=0.35` as rates. */
export function missingRates(text: string): { image: number; text: number } {
  const rates = { image: 0, text: 0 }
  for (const part of text.split(',')) {
    const [name, value] = part.split('=')
    const rate = Number(value)
    if ((name !== 'image' && name !== 'text') || value === undefined || !(rate >= 0 && rate <= 1)) throw new AppError('CLI_USAGE', `--missing must look like image=0.35,text=0.35, not "${text}".`)
    rates[name] = rate
  }
  if (rates.image + rates.text > 1) throw new AppError('CLI_USAGE', 'The missing rates add up to more than 1.')
  return rates
}

export const helpText = `Lacuna, command line. Research use only. Not for diagnosis or treatment.

lacuna import   --source DIR [--table FILE] --cohort NAME [--sheet NAME] [--profile odir|odir-per-eye|covid-cxr|indiana|indiana-xml|demo] [--map FILE.json]
lacuna import   --into NAME --source DIR [--table FILE]   a further delivery: adds what is new, tells what is known and what changed
                [--changed keep|replace] [--new-labels refuse|leave-out] [--mapping NAME]; without a mapping that of the cohort
lacuna import   --cohort NAME --resume                  go on with a stopped import or delivery
                [--frame first|middle|last|NUMBER, or ITEM=FRAME,...]   which frame of files that hold several (first)
                a second table: [--join FILE --on "COLUMN=COLUMN" [--spread COLUMN]]
lacuna deliveries list|undo --cohort NAME               the imports of a cohort; undo takes the last delivery back
lacuna check-originals --cohort NAME [--quick]          are the original files there and unchanged; --quick looks at sizes only
lacuna check-originals --cohort NAME --moved DIR [--delivery N]  take a folder that was moved, after every file was compared
lacuna mappings list|save|show|export|import|rename|remove [--mapping NAME] [--name NEW] [--out FILE] [--from FILE]
lacuna check    --source DIR [--table FILE] [--map FILE]  what an import would do, without writing anything
                texts are scrubbed unless told: [--privacy-off names,dates,...] [--privacy-list FILE] [--date-order month-first|day-first]
                FILE: a word to remove in each line, or shape:K-###### (# digit, @ letter)
                [--dates shift|remove] [--characteristics keep|remove] [--burned-in review|exclude]   options of the header profile
                [--study-date COLUMN|none] [--study-date-order day-first|month-first|year-first|spreadsheet-days]   days of studies: stored moved
                [--birth-date COLUMN|none] [--birth-date-order ...]   to check and to compute the age; never stored
lacuna reidentify export --cohort NAME --out FILE       hospital numbers and pseudonyms, encrypted with LACUNA_PASSPHRASE
lacuna reidentify lookup --from FILE --patient KEY|ID   one patient of such a file
lacuna cohorts                                          the cohorts in the store
lacuna fingerprint --cohort NAME                        what a cohort holds, before training: presence, images, texts, labels, duplicates
lacuna alarms   --cohort NAME                           what would make results mean less than they seem to, with remedies
lacuna curate   list|mask|drop|merge|exclude --cohort NAME [--slot ID] [--words A,B|@FILE] [--patients KEY,KEY] [--studies N,N] [--reason TEXT]
lacuna curate   remedy --cohort NAME --alarm ID [--remedy N]   do what an alarm offers
lacuna curate   --undo N                                undo a decision; originals and imported rows never change
lacuna train    --cohort NAME [--method mora|late-fusion|dedicated|...] [--config FILE.json] [--seed N] [--folds K] [--epochs N]
                [--backbone ID or TEXT-ID+IMAGE-ID] [--slots right-eye,left-eye,...] [--labels "Diabetes,Glaucoma"] [--name TEXT] [--missing image=0.35,text=0.35]
lacuna train    --run ID --resume                       go on with a stopped run
lacuna runs                                             the runs in the store
lacuna evaluate --run ID [--missing image=0.35,text=0.35|table] [--only image|text] [--shown right-eye,notes] [--seed N]
                [--degrade blur=2|noise=0.1|truncate=5]        the test patients again with worse images or shorter texts
lacuna predict  --run ID --out FILE.csv [--cohort NAME] predict again from the stored checkpoint, also for another cohort
lacuna export   --run ID --out FILE.csv                 all stored predictions
lacuna backbones list|show|verify|remove [--backbone ID]
lacuna backbones edit --backbone ID [--name TEXT] [--licence TEXT] [--source TEXT]
lacuna backbones add --from FOLDER|FILE [--name TEXT] [--licence TEXT] [--source TEXT]
                                                        ViLT, BERT, ViT, DeiT or CLIP as Hugging Face folder or weights file
lacuna audit                                            check the audit log
lacuna device   [--use auto|cuda|webgpu|cpu|wasm]       which backend computes, and why; --use chooses it for this database

Everywhere: --store FILE.db (else the app's own database), --json (results as JSON on stdout).
Exit codes: 0 done, 2 wrong usage, 3 refused because of the input, 4 the engine or the machine failed, 130 cancelled.`
