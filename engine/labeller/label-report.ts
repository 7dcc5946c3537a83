/**
 * Findings of one report by rules: mention, negation, uncertainty, aggregation, after NegEx (Chapman et al. 2001) and the CheXpert labeller
 * (Irvin et al. 2019, arXiv:1901.07031, section 3). Differences: words and clauses instead of a parse tree; a definite word of the
 * impression settles what the findings leave in doubt; sections of what was asked are read but never counted.
 */
import type { CueKind, LabelEvidence, Mention, TermKind } from '../domain/report-labels.ts'
import { longestMatches, type PhraseMatch } from './phrases.ts'
import type { CompiledRules } from './rules.ts'
import { findScopes, type Scope } from './scopes.ts'
import { splitReport, type ReportSentence } from './sections.ts'
import { tokenise, type Token } from './words.ts'

const maxMentions = 8
/** Of phrases of equal length at one place, what says "not so fast" goes before a plain "no". */
const cueOrder: readonly CueKind[] = ['no-negation', 'not-counted-before', 'uncertain-after', 'uncertain-before', 'negation-after', 'negation-before', 'uncertain-between', 'scope-end']
const termOrder: readonly TermKind[] = ['except', 'uncertain', 'absent', 'terms']

type FoundMention = Mention & { finding: string }

/** A text of the report and the item it comes from. */
export interface ReportText { slotId: string; text: string }

/** Evidence for every finding of the rules, in their order; the mentions that decided come first. */
export function labelReport(texts: readonly ReportText[], rules: CompiledRules): LabelEvidence[] {
  let isRead = false
  const mentions = texts.flatMap(({ slotId, text }) => splitReport(text, rules.sections).flatMap((sentence) => {
    const tokens = tokenise(sentence.text, rules.folding)
    // A section of nothing but removed words says nothing, and nothing may be concluded from what it does not name.
    if (sentence.section !== 'not-read' && tokens.some(({ word, isSign }) => word !== '' && !isSign)) isRead = true
    return mentionsOf(sentence, tokens, slotId, rules)
  }))
  const byFinding = Map.groupBy(mentions, ({ finding }) => finding)
  const evidence = rules.findings.filter(({ id }) => id !== rules.noFinding.id).map(({ id }) => aggregate(id, byFinding.get(id) ?? [], isRead))
  return [...evidence, noFindingOf(evidence, rules, isRead)]
}

/** Mentions of one sentence in reading order. */
function mentionsOf({ section, text }: ReportSentence, tokens: readonly Token[], slotId: string, rules: CompiledRules): FoundMention[] {
  const found = rules.terms.find(tokens)
  if (found.length === 0) return []
  const terms = [...Map.groupBy(found, ({ payload }) => payload.finding).values()]
    .flatMap((ofFinding) => longestMatches(ofFinding, (a, b) => termOrder.indexOf(a.kind) - termOrder.indexOf(b.kind)))
    .filter(({ payload }) => payload.kind !== 'except')
  const cues = longestMatches(rules.cues.find(tokens), (a, b) => cueOrder.indexOf(a) - cueOrder.indexOf(b))
  const scopes = findScopes(tokens, cues, rules.clauses)
  return terms.flatMap((term): FoundMention[] => {
    const { outcome, cue } = judge(term, scopes, terms)
    if (outcome === null) return []
    const because = section === 'not-read' ? null : cue === null ? (term.payload.kind === 'terms' ? null : { ...placeOf(term, tokens), kind: term.payload.kind }) : { ...placeOf(cue, tokens), kind: cue.payload }
    return [{
      finding: term.payload.finding, slotId, section, sentence: text, ...placeOf(term, tokens),
      ...(section === 'not-read' ? { outcome: 'not-counted' as const, because: { start: 0, end: 0, kind: 'section' as const } } : { outcome, because }),
    }]
  }).sort((a, b) => a.start - b.start)
}

function placeOf({ first, last }: { first: number; last: number }, tokens: readonly Token[]): { start: number; end: number } {
  return { start: tokens[first]!.start, end: tokens[last]!.end }
}

type Term = PhraseMatch<{ finding: string; kind: TermKind }>

/** What a sentence says of one mention, and the phrase that decided; null when it says nothing at all. */
function judge(term: Term, scopes: readonly Scope[], terms: readonly Term[]): { outcome: Mention['outcome'] | null; cue: PhraseMatch<CueKind> | null } {
  // A phrase that shares a word with the finding's own is part of it: "borderline" in "borderline heart size".
  const reaching = scopes.filter(({ cue, from, to }) => term.tokens.some((place) => place >= from && place <= to) && !cue.tokens.some((place) => term.tokens.includes(place)))
  const nearest = (kinds: readonly CueKind[]): PhraseMatch<CueKind> | null => {
    const distance = ({ cue }: Scope): number => Math.min(...term.tokens.map((place) => Math.min(Math.abs(place - cue.first), Math.abs(place - cue.last))))
    return reaching.filter(({ cue }) => kinds.includes(cue.payload)).sort((a, b) => distance(a) - distance(b))[0]?.cue ?? null
  }
  const notCounted = nearest(['not-counted-before'])
  const negation = nearest(['negation-before', 'negation-after'])
  const doubt = nearest(['uncertain-before', 'uncertain-after'])
  if (term.payload.kind === 'absent') return negation !== null || notCounted !== null ? { outcome: null, cue: null } : { outcome: doubt === null ? 'negative' : 'uncertain', cue: doubt }
  // "No possible" denies, "possibly no" is a doubt: the first of the two governs the other. A later "not seen" denies.
  if (negation !== null && (doubt === null || negation.first < doubt.first || negation.payload === 'negation-after' || doubt.payload === 'uncertain-after')) return { outcome: 'negative', cue: negation }
  if (notCounted !== null) return { outcome: 'not-counted', cue: notCounted }
  if (term.payload.kind === 'uncertain') return { outcome: 'uncertain', cue: doubt }
  if (doubt !== null) return { outcome: 'uncertain', cue: doubt }
  const either = reaching.find(({ cue, from, to }) => cue.payload === 'uncertain-between' && hasOtherOnFarSide(term, cue, terms, from, to))
  return either === undefined ? { outcome: 'positive', cue: null } : { outcome: 'uncertain', cue: either.cue }
}

/** "Scarring or atelectasis" leaves both in doubt; "one or two nodules" does not. */
function hasOtherOnFarSide(term: Term, cue: PhraseMatch<CueKind>, terms: readonly Term[], from: number, to: number): boolean {
  const isBefore = term.last < cue.first
  return terms.some((other) => other.payload.finding !== term.payload.finding && other.payload.kind === 'terms' && (isBefore ? other.first > cue.last && other.first <= to : other.last < cue.first && other.last >= from))
}

/** Positive before uncertain before negative, as CheXpert; but a plain "no" in the impression settles a doubt of the findings. */
function aggregate(finding: string, mentions: readonly FoundMention[], isRead: boolean): LabelEvidence {
  const has = (outcome: Mention['outcome'], section?: Mention['section']): boolean => mentions.some((mention) => mention.outcome === outcome && (section === undefined || mention.section === section))
  const isSettled = has('negative', 'conclusion') && !has('uncertain', 'conclusion')
  const outcome = !isRead ? 'no-report' : has('positive') ? 'positive' : has('uncertain') && !isSettled ? 'uncertain' : has('negative') ? 'negative' : 'unmentioned'
  const rank = (mention: Mention): number => (mention.outcome === outcome ? 0 : mention.outcome === 'not-counted' ? 2 : 1)
  const ordered = mentions.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxMentions).map(({ finding: _finding, ...mention }) => mention)
  return { finding, outcome, mentions: ordered }
}

/** Nothing found: the report was read and says "yes" or "perhaps" of no finding but of devices. CheXpert's rule, over these findings. */
function noFindingOf(evidence: readonly LabelEvidence[], { noFinding }: CompiledRules, isRead: boolean): LabelEvidence {
  const of = (outcome: LabelEvidence['outcome']): LabelEvidence[] => evidence.filter((entry) => entry.outcome === outcome && !noFinding.ignores.has(entry.finding))
  const [positive, uncertain] = [of('positive'), of('uncertain')]
  const outcome = !isRead ? 'no-report' : positive.length > 0 ? 'negative' : uncertain.length > 0 ? 'uncertain' : 'positive'
  return { finding: noFinding.id, outcome, mentions: [...positive, ...uncertain].flatMap(({ mentions }) => mentions.slice(0, 1)).slice(0, 3) }
}
