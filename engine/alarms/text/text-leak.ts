import type { LabelWord } from '../../domain/import.ts'
import { designEffect } from '../../evaluation/comparison/clusters.ts'
import { normalUpperTail } from '../../evaluation/comparison/distributions.ts'
import { createTextMask } from '../../domain/curation.ts'
import { createRng } from '../../compute/rng.ts'
import { findLabelWords } from '../../importers/label-words.ts'
import { probeLabel, type ProbeResult } from '../probe/grouped-probe.ts'
import { fitLogistic } from '../probe/logistic.ts'
import { findRule, wordsOfRule, type LabelRule } from './find-rule.ts'
import { collectTerms, documentsOf, textRows } from './terms.ts'

/** The texts of one slot with labels by study: what the search reads. */
export interface TextsWithLabels {
  slotId: string
  texts: readonly (string | null)[]
  patientKeys: readonly string[]
  persons: ArrayLike<number>
  labelNames: readonly string[]
  /** Column of each label, 1, 0 or -1. */
  labels: readonly Int8Array[]
}

export interface TextLeak {
  words: LabelWord[]
  rules: { label: number; rule: LabelRule }[]
  probes: { label: number; result: ProbeResult; isTelling: boolean }[]
}

/** A text may tell something of a disease, that is what it is for; a bag of its words that ranks this well names it. */
const tellingAuroc = 0.85
/** Mean of sensitivity and specificity on persons that the rule was not made from. */
const tellingBalance = 0.9
const probeTerms = 5000
const minimumDocuments = 3
const probeCost = 10

/**
 * Looks whether the words of a text give labels away: single telling words, short rules, and a bag of words and phrases as a whole.
 * @param level false alarms accepted, over all labels of this text together
 */
export function lookAtText(input: TextsWithLabels, level: number): TextLeak {
  const { slotId, texts, patientKeys, persons, labelNames, labels } = input
  const documents = documentsOf(texts)
  const withText = labels.map((column) => column.map((value, i) => (texts[i] === null ? -1 : value)))
  const single = level / Math.max(1, 2 * labels.length)
  const words = findLabelWords(slotId, texts.map((text, i) => ({ patientKey: patientKeys[i]!, text, labels: labels.map((column) => (column[i] === -1 ? null : (column[i] as 0 | 1))) })), labelNames)
    .filter((word) => isBeyondChance(word, withText[labelNames.indexOf(word.labelName)]!, persons, single))
  const terms = collectTerms(documents, minimumDocuments, probeTerms).filter(({ isTwice }) => !isTwice)
  const rows = textRows(documents, terms)
  const probes = withText.flatMap((column, label) => {
    const result = probeLabel(rows, column, persons, { seed: 1 + label, cost: probeCost })
    return result === null ? [] : [{ label, result, isTelling: result.auroc >= tellingAuroc && result.pValue < single }]
  })
  const rules = withText.flatMap((column, label) => {
    const rule = findRule(documents, column, persons, 1 + label)
    return rule !== null && rule.heldOutBalance >= tellingBalance && rule.pValue < single ? [{ label, rule }] : []
  })
  return { words, rules, probes }
}

export function isTelling({ words, rules, probes }: TextLeak): boolean {
  return words.length > 0 || rules.length > 0 || probes.some((probe) => probe.isTelling)
}

/**
 * A word that is a label's own name is told of by the import whatever it goes with; an alarm needs it to go with the label. Studies of one
 * person often share note and label: the variance is larger by the studies of each, as in the probes.
 */
function isBeyondChance({ studiesWithWord, studiesWithWordAndLabel }: LabelWord, column: Int8Array, persons: ArrayLike<number>, level: number): boolean {
  const known = Array.from(column.keys()).filter((i) => column[i] !== -1)
  const base = known.filter((i) => column[i] === 1).length / known.length
  const clustering = designEffect([...Map.groupBy(known, (i) => persons[i]!).values()].map((members) => members.length))
  const variance = (clustering * base * (1 - base)) / studiesWithWord
  return variance > 0 && normalUpperTail((studiesWithWordAndLabel / studiesWithWord - base) / Math.sqrt(variance)) < level
}

const maxRounds = 8
/** Words with the largest weights of a telling probe that each round hides. */
const weightedWords = 20

/**
 * Words to mask until the text is quiet: the telling ones, then what the masked text still tells by, round by round. `isEnough` false: it
 * still tells, and leaving the whole text out is the remedy.
 */
export function wordsToMask(input: TextsWithLabels, first: TextLeak, level: number): { words: string[]; isEnough: boolean } {
  const words = new Set<string>()
  let leak = first
  let masked = input
  for (let round = 0; round < maxRounds; round++) {
    const before = words.size
    // A phrase of a masked text may stand on both sides of what was masked: only its words are sure to be found.
    for (const term of tellingTerms(masked, leak)) for (const word of round === 0 ? [term] : term.split(' ')) words.add(word)
    if (words.size === before) return { words: [...words], isEnough: false }
    const mask = createTextMask([...words])
    masked = { ...input, texts: input.texts.map((text) => (text === null ? null : mask.apply(text))) }
    leak = lookAtText(masked, level)
    if (!isTelling(leak)) return { words: [...words], isEnough: true }
  }
  return { words: [...words], isEnough: false }
}

function tellingTerms({ texts, labels }: TextsWithLabels, leak: TextLeak): string[] {
  const found = [...leak.words.map(({ word }) => word), ...leak.rules.flatMap(({ rule }) => wordsOfRule(rule))]
  const documents = documentsOf(texts)
  const terms = collectTerms(documents, 1, probeTerms).filter(({ isTwice, term }) => !isTwice && !term.includes(' '))
  const rows = textRows(documents, terms)
  const telling = new Set([...leak.rules.map(({ label }) => label), ...leak.probes.filter((probe) => probe.isTelling).map(({ label }) => label)])
  for (const label of telling) {
    const chosen = Int32Array.from(texts.flatMap((text, i) => (text === null || labels[label]![i] === -1 ? [] : [i])))
    const weights = fitLogistic(rows, chosen, Int8Array.from(chosen, (i) => labels[label]![i]!), probeCost, createRng(1))
    const order = terms.map((_, t) => t).sort((a, b) => Math.abs(weights[b]!) - Math.abs(weights[a]!))
    found.push(...order.slice(0, weightedWords).filter((t) => Math.abs(weights[t]!) > 0.1).map((t) => terms[t]!.term))
  }
  return found
}
