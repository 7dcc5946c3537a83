/** The shipped rule lists with the user's changes, compiled. The lists are resources/labeller/*.json, to be read and discussed. */
import { hash } from 'node:crypto'
import findingList from '../../resources/labeller/chest-findings.json' with { type: 'json' }
import language from '../../resources/labeller/language.json' with { type: 'json' }
import { AppError } from '../domain/errors.ts'
import { cueKindSchema, type CueKind, type LabelRules, type ReportLabels, type TermKind } from '../domain/report-labels.ts'
import { compilePhrase, createPhraseIndex, type PhraseIndex } from './phrases.ts'
import type { SectionNames } from './sections.ts'
import type { Folding } from './words.ts'

const termKinds: readonly TermKind[] = ['terms', 'absent', 'uncertain', 'except']

export interface ClauseWords { verbs: ReadonlySet<string>; detection: ReadonlySet<string>; starters: ReadonlySet<string> }

/** Everything the labeller needs, made once for an import. */
export interface CompiledRules {
  version: string
  folding: Folding
  sections: SectionNames
  clauses: ClauseWords
  cues: PhraseIndex<CueKind>
  terms: PhraseIndex<{ finding: string; kind: TermKind }>
  /** Findings that can be labels, the one of nothing found included, in the order of the list. */
  findings: { id: string; title: string }[]
  noFinding: { id: string; ignores: ReadonlySet<string> }
}

/** SHA-256 of both lists as they ship. */
const version = hash('sha256', JSON.stringify([findingList, language]))

/** The shipped lists as the wizard shows them. */
export function shippedRules(): LabelRules {
  const usual = new Set(findingList.usual)
  const none = { id: findingList.noFinding.id, title: findingList.noFinding.title, isUsual: usual.has(findingList.noFinding.id), terms: [], absent: [], uncertain: [], except: [] }
  return {
    version,
    findings: [...findingList.findings.map((finding) => ({ ...finding, isUsual: usual.has(finding.id) })), none],
    cues: cueKindSchema.options.map((kind) => ({ kind, phrases: language.cues[kind] })),
  }
}

/**
 * The rules of a mapping.
 * @throws AppError IMPORT_MAPPING_INVALID for a finding or an edit that names nothing known
 */
export function compileRules(options: Pick<ReportLabels, 'findings' | 'ownFindings' | 'edits'>): CompiledRules {
  const folding: Folding = { spelling: language.spelling.map(([from, to]) => [from!, to!] as const), plurals: new Map(language.plurals.map(([from, to]) => [from!, to!])) }
  const blank = { terms: [] as string[], absent: [] as string[], uncertain: [] as string[], except: [] as string[] }
  const findings = [...findingList.findings, ...options.ownFindings.map((own) => ({ ...blank, ...own }))]
  const known = new Set([...findings.map(({ id }) => id), findingList.noFinding.id])
  if (known.size !== findings.length + 1) throw new AppError('IMPORT_MAPPING_INVALID', 'A finding of your own has the name of another finding.')
  const stranger = [...options.findings, ...options.edits.flatMap((edit) => (edit.list === 'finding' ? [edit.finding] : []))].find((id) => !known.has(id))
  if (stranger !== undefined) throw new AppError('IMPORT_MAPPING_INVALID', `The rules for labels from reports know no finding "${stranger}".`)
  const barred = new Set(language.clauses.barredFromGaps)
  const edited = (phrases: readonly string[], isSame: (edit: ReportLabels['edits'][number]) => boolean): string[] => {
    const own = options.edits.filter(isSame)
    const off = new Set(own.flatMap(({ change, phrase }) => (change === 'off' ? [phrase] : [])))
    return [...phrases.filter((phrase) => !off.has(phrase)), ...own.flatMap(({ change, phrase }) => (change === 'add' ? [phrase] : []))]
  }
  const terms = findings.flatMap((finding) => termKinds.flatMap((kind) => edited(finding[kind], (edit) => edit.list === 'finding' && edit.finding === finding.id && edit.kind === kind)
    .map((phrase) => compilePhrase(phrase, { finding: finding.id, kind }, folding))))
  const cues = cueKindSchema.options.flatMap((kind) => edited(language.cues[kind], (edit) => edit.list === 'cue' && edit.kind === kind).map((phrase) => compilePhrase(phrase, kind, folding)))
  const fold = (words: readonly string[]): Set<string> => new Set(words)
  return {
    version, folding, sections: language.sections,
    clauses: { verbs: fold(language.clauses.verbs), detection: fold(language.clauses.detection), starters: fold(language.clauses.starters) },
    cues: createPhraseIndex(cues, barred), terms: createPhraseIndex(terms, barred, ({ kind }) => (kind === 'except' ? ['not', 'no'] : [])),
    findings: [...findings.map(({ id, title }) => ({ id, title })), { id: findingList.noFinding.id, title: findingList.noFinding.title }],
    noFinding: { id: findingList.noFinding.id, ignores: new Set(findingList.noFinding.ignores) },
  }
}
