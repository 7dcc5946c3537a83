import { createRng } from '../../compute/rng.ts'
import { designEffect } from '../../evaluation/comparison/clusters.ts'
import { normalUpperTail } from '../../evaluation/comparison/distributions.ts'
import { minimumPersons } from '../probe/grouped-probe.ts'
import { learnAnyOf, lineInWords, takenByLines, type RuleLine } from './any-of-rule.ts'
import { learnNothingBut, takenBySomethingElse } from './nothing-but-rule.ts'
import { collectTerms, nameOf, type Document, type Term } from './terms.ts'

/** A rule over the words of a text that gives a label. */
export interface LabelRule {
  /** True: the rule says when the label is absent. */
  isNegated: boolean
  form: { kind: 'any-of'; lines: RuleLine[] } | { kind: 'something-else'; words: string[] }
  /** On all studies with a text and a known label. */
  positives: number
  truePositives: number
  negatives: number
  trueNegatives: number
  /** Mean of sensitivity and specificity on the half of the persons that the rule was not made from. */
  heldOutBalance: number
  /** One-sided, of the held-out half against chance, corrected for the forms tried. */
  pValue: number
}

const minimumDocuments = 2
const maxTerms = 3000
/** Of mean sensitivity and specificity on held-out persons. */
const nearlyAsGood = 0.01

/**
 * Looks for a short rule that reproduces a label from the words of a text. It is made on one half of the persons and judged on the
 * other: any label is reproduced by a long enough rule on the texts that it was made from. The rule that is told is then made from all.
 * Null where a half has fewer than ten persons with or without the label.
 *
 * @param labels 1, 0, or -1 (unknown) of each document [N]
 */
export function findRule(documents: readonly Document[], labels: Int8Array, persons: ArrayLike<number>, seed: number): LabelRule | null {
  const known = documents.flatMap((document, i) => (document === null || labels[i] === -1 ? [] : [i]))
  const byPerson = Map.groupBy(known, (i) => persons[i]!)
  const rng = createRng(seed)
  const isPositive = (members: number[]) => members.some((i) => labels[i] === 1)
  const half = new Int8Array(documents.length).fill(-1)
  for (const positive of [true, false]) {
    const side = rng.shuffle([...byPerson.values()].filter((members) => isPositive(members) === positive))
    if (side.length < 2 * minimumPersons) return null
    side.forEach((members, place) => members.forEach((i) => (half[i] = place % 2)))
  }
  const terms = collectTerms(documents, minimumDocuments, maxTerms)
  const holders = new Map(terms.map((term) => [nameOf(term), new Set(term.documents)]))
  const candidates = ([false, true] as const).flatMap((isNegated) => (['any-of', 'something-else'] as const).map((kind) => {
    const learn = (isUsed: (i: number) => boolean) => learnForm(kind, documents, terms, Uint8Array.from(labels, (value, i) => (half[i] === -1 || !isUsed(i) ? 2 : isNegated ? 1 - value : value)))
    const form = learn((i) => half[i] === 0)
    const judged = judge(form, isNegated, documents, holders, labels, known.filter((i) => half[i] === 1))
    return { isNegated, learn, heldOut: judged, heldOutBalance: balanceOf(judged) }
  }))
  const highest = Math.max(...candidates.map(({ heldOutBalance }) => heldOutBalance))
  // Of forms that do about as well on others, the one that is right more often on all; of equals, the one that is read more easily.
  const best = candidates.filter(({ heldOutBalance }) => heldOutBalance >= highest - nearlyAsGood).map((candidate) => {
    const form = candidate.learn(() => true)
    return { ...candidate, form, onAll: judge(form, candidate.isNegated, documents, holders, labels, known) }
  }).reduce((first, next) => (balanceOf(next.onAll) > balanceOf(first.onAll) + 1e-9 ? next : first))
  return {
    isNegated: best.isNegated, form: best.form, ...best.onAll, heldOutBalance: best.heldOutBalance,
    pValue: Math.min(1, candidates.length * chanceOf(best.heldOut, designEffect([...byPerson.values()].map((members) => members.length)))),
  }
}

function learnForm(kind: LabelRule['form']['kind'], documents: readonly Document[], terms: readonly Term[], isPositive: Uint8Array): LabelRule['form'] {
  return kind === 'any-of' ? { kind, lines: learnAnyOf(terms, isPositive) } : { kind, words: learnNothingBut(documents, isPositive) }
}

type Counts = Pick<LabelRule, 'positives' | 'truePositives' | 'negatives' | 'trueNegatives'>

function judge(form: LabelRule['form'], isNegated: boolean, documents: readonly Document[], holders: ReadonlyMap<string, ReadonlySet<number>>, labels: Int8Array, indices: readonly number[]): Counts {
  const taken = form.kind === 'any-of' ? takenByLines(form.lines, holders, documents.length) : takenBySomethingElse(form.words, documents)
  const counts: Counts = { positives: 0, truePositives: 0, negatives: 0, trueNegatives: 0 }
  for (const i of indices) {
    const saysYes = (taken[i] === 1) !== isNegated
    if (labels[i] === 1) {
      counts.positives++
      if (saysYes) counts.truePositives++
    } else {
      counts.negatives++
      if (!saysYes) counts.trueNegatives++
    }
  }
  return counts
}

function balanceOf({ positives, truePositives, negatives, trueNegatives }: Counts): number {
  return (truePositives / Math.max(1, positives) + trueNegatives / Math.max(1, negatives)) / 2
}

/** Two proportions with pooled variance, widened by the studies of each person. */
function chanceOf({ positives, truePositives, negatives, trueNegatives }: Counts, clustering: number): number {
  const yes = truePositives + negatives - trueNegatives
  const share = yes / (positives + negatives)
  const variance = share * (1 - share) * (1 / positives + 1 / negatives) * clustering
  return variance === 0 ? 1 : normalUpperTail((truePositives / positives - (negatives - trueNegatives) / negatives) / Math.sqrt(variance))
}

/** The rule as a sentence with at most `most` of its parts; the rest is counted. */
export function ruleInWords({ isNegated, form }: Pick<LabelRule, 'isNegated' | 'form'>, labelName: string, most = 8): string {
  const subject = `${labelName} is ${isNegated ? 'absent' : 'present'} where the text`
  const list = (parts: string[], last: string) => {
    const shown = parts.slice(0, most)
    return parts.length > most ? `${shown.join(`, `)} (and ${parts.length - most} more)` : shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} ${last} ${shown.at(-1)}`
  }
  if (form.kind === 'any-of') return `${subject} contains ${list(form.lines.map(lineInWords), 'or')}`
  return `${subject} names anything other than ${list(form.words.map((word) => `"${word}"`), 'and')}`
}

/** Words that a mask would have to hide for the rule to say nothing. */
export function wordsOfRule({ form }: Pick<LabelRule, 'form'>): string[] {
  return form.kind === 'any-of' ? [...new Set(form.lines.flatMap(({ has, second }) => [has.term, ...(second?.isWanted === true ? [second.term.term] : [])]))] : form.words
}
