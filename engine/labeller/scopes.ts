/**
 * How far a "no" or a "possible" reaches. After NegEx (Chapman et al. 2001): from the phrase to the end of its clause, forwards or
 * backwards. Where NegEx counts six words, this looks for the end of the clause instead, because radiologists list ten things after one "no".
 */
import type { CueKind } from '../domain/report-labels.ts'
import type { PhraseMatch } from './phrases.ts'
import type { ClauseWords } from './rules.ts'
import type { Token } from './words.ts'

/** A phrase with the words it reaches, from `from` to `to`, both included; empty when `to` < `from`. */
export interface Scope {
  cue: PhraseMatch<CueKind>
  from: number
  to: number
}

const widestEither = 5

/** Scopes of the phrases of one sentence. */
export function findScopes(tokens: readonly Token[], cues: readonly PhraseMatch<CueKind>[], clauses: ClauseWords): Scope[] {
  const kindAt = new Map<number, CueKind>()
  for (const cue of cues) for (let at = cue.first; at <= cue.last; at++) kindAt.set(at, cue.payload)
  const reach = (cue: PhraseMatch<CueKind>, step: 1 | -1): number => {
    let at = step === 1 ? cue.last : cue.first
    for (let next = at + step; next >= 0 && next < tokens.length; next += step) {
      if (isEnd(tokens, next, step, kindAt, clauses)) break
      at = next
    }
    return at
  }
  return cues.flatMap((cue): Scope[] => {
    if (cue.payload.endsWith('-before')) return [{ cue, from: cue.last + 1, to: reach(cue, 1) }]
    if (cue.payload.endsWith('-after')) return [{ cue, from: reach(cue, -1), to: cue.first - 1 }]
    if (cue.payload !== 'uncertain-between') return []
    return [{ cue, from: Math.max(reach(cue, -1), cue.first - widestEither), to: Math.min(reach(cue, 1), cue.last + widestEither) }]
  })
}

/** Does a scope that walks over the words stop before the one at `at`? */
function isEnd(tokens: readonly Token[], at: number, step: 1 | -1, kindAt: ReadonlyMap<number, CueKind>, clauses: ClauseWords): boolean {
  const { word, isSign } = tokens[at]!
  if (kindAt.get(at) === 'scope-end' || word === ';' || word === ':') return true
  if (word !== ',' && word !== 'and') return isSign && word !== '/' && word !== '(' && word !== ')'
  if (step === -1) return hasVerb(tokens, segmentBefore(tokens, at), clauses) || tokens.slice(0, at).length === 0
  return beginsClause(tokens, at, kindAt, clauses)
}

/** Does a clause of its own follow the comma or the "and" at `at`? */
function beginsClause(tokens: readonly Token[], at: number, kindAt: ReadonlyMap<number, CueKind>, clauses: ClauseWords): boolean {
  let first = at + 1
  while (['and', ','].includes(tokens[first]?.word ?? '')) first++
  const head = tokens[first]?.word
  if (head === undefined || head === 'or' || head === 'nor' || kindAt.get(first) === 'negation-before') return false
  if (kindAt.get(first) === 'uncertain-before') return true
  const segment = segmentAfter(tokens, first)
  const isStarter = clauses.starters.has(head)
  if (hasVerb(tokens, segment, clauses)) return isStarter || !isDetection(tokens, segment, clauses)
  // "No pneumothorax, small effusion" says two things, "no consolidation, large effusion, or pneumothorax" one.
  return tokens[at]!.word === ',' && isStarter && !tokens.slice(first).some(({ word }) => word === 'or' || word === 'nor')
}

interface Segment { from: number; to: number }

function isBorder({ word, isSign }: Token): boolean {
  return (isSign && word !== '/') || word === 'and'
}

function segmentAfter(tokens: readonly Token[], from: number): Segment {
  let to = from
  while (to + 1 < tokens.length && !isBorder(tokens[to + 1]!)) to++
  return { from, to }
}

function segmentBefore(tokens: readonly Token[], at: number): Segment {
  let from = at
  while (from > 0 && !isBorder(tokens[from - 1]!)) from--
  return { from, to: at - 1 }
}

function hasVerb(tokens: readonly Token[], { from, to }: Segment, { verbs }: ClauseWords): boolean {
  return tokens.slice(from, to + 1).some(({ word }) => verbs.has(word))
}

/** "pneumothorax is seen" goes on with a list that "no" began; "heart is enlarged" does not. */
function isDetection(tokens: readonly Token[], { from, to }: Segment, { detection }: ClauseWords): boolean {
  return tokens.slice(from, to + 1).some(({ word }) => detection.has(word))
}
