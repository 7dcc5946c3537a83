import { sampleRows } from '../compute/sample-rows.ts'
import type { LabelWord } from '../domain/import.ts'
import { clausesOf } from '../domain/words.ts'
import type { LabelValue } from './rows/labels.ts'

/** A study's text in one slot (null when absent) and its labels. */
export interface LabelledText {
  patientKey: string
  text: string | null
  labels: readonly LabelValue[]
}

const minStudies = 3
/** Several studies of one patient often share a note word for word; they are one piece of evidence. */
const minPatients = 3
const maxWords = 60
/** So that one label with many words does not hide the others. */
const maxWordsOfLabel = 15
/** Beyond this many studies a sample spread over all says the same and keeps the check page quick. */
const maxStudies = 20_000
const maxTermsPerStudy = 2000
const strongPrecision = 0.95
const strongRecall = 0.1
const strongAuroc = 0.9
/** Share of false alarms accepted over all words and labels together. */
const falseAlarmRate = 0.001
const emptyWords = new Set(['with', 'without', 'and', 'the', 'for', 'from', 'other', 'not', 'none', 'type', 'disease', 'normal', 'finding', 'findings', 'derived'])

interface Term { term: string; studies: number[] }

/**
 * Words and two-word phrases of one text slot that give a label away: nearly every study with the word carries the label, the
 * word alone separates the label (AUROC at least 0.9), or the text contains the label's own name. Chance finds are held down
 * by a Chernoff bound on the binomial tail, divided by the number of tests. Strongest first, at most 60.
 */
export function findLabelWords(slotId: string, studies: readonly LabelledText[], labelNames: readonly string[]): LabelWord[] {
  const sample = sampleRows(studies.length, maxStudies).map((index) => studies[index]!).filter(({ text }) => text !== null)
  const terms = collectTerms(sample)
  const testCount = Math.max(1, terms.length * labelNames.length)
  const found: (LabelWord & { isPhrase: boolean })[] = []
  for (const [labelIndex, labelName] of labelNames.entries()) {
    const values = sample.map(({ labels }) => labels[labelIndex] ?? null)
    const positives = values.filter((value) => value === 1).length
    const negatives = values.filter((value) => value === 0).length
    if (positives < minStudies || negatives < minStudies) continue
    const baseRate = positives / (positives + negatives)
    const ownWords = wordsOfName(labelName)
    for (const { term, studies: holders } of terms) {
      let withLabel = 0
      let known = 0
      for (const index of holders) {
        const value = values[index] ?? null
        if (value === null) continue
        known++
        withLabel += value
      }
      if (known < minStudies || withLabel === 0) continue
      const patients = new Set(holders.map((index) => sample[index]!.patientKey)).size
      if (patients < minPatients) continue
      const precision = withLabel / known
      const recall = withLabel / positives
      const auroc = 0.5 * (1 + recall - (known - withLabel) / negatives)
      const isStrong = auroc >= strongAuroc || (precision >= strongPrecision && recall >= strongRecall)
      const isOwnName = ownWords.has(term) && precision > baseRate
      if (!isOwnName && !(isStrong && isBeyondChance(precision, patients, baseRate, testCount))) continue
      found.push({ slotId, word: term, labelName, studiesWithWord: known, studiesWithWordAndLabel: withLabel, auroc, isPhrase: term.includes(' ') })
    }
  }
  return strongestFirst(found)
}

/** Sorts, and leaves out phrases that say no more than one of their words. */
function strongestFirst(found: (LabelWord & { isPhrase: boolean })[]): LabelWord[] {
  const single = new Map(found.filter(({ isPhrase }) => !isPhrase).map((entry) => [`${entry.labelName}\u001f${entry.word}`, entry.auroc]))
  const counts = new Map<string, number>()
  return found
    .filter(({ isPhrase, word, labelName, auroc }) => !isPhrase || !word.split(' ').some((part) => (single.get(`${labelName}\u001f${part}`) ?? -1) >= auroc - 1e-9))
    .sort((a, b) => b.auroc - a.auroc || b.studiesWithWord - a.studiesWithWord || (a.word < b.word ? -1 : 1))
    .filter(({ labelName }) => {
      const count = (counts.get(labelName) ?? 0) + 1
      counts.set(labelName, count)
      return count <= maxWordsOfLabel
    })
    .slice(0, maxWords)
    .map(({ isPhrase: _isPhrase, ...entry }) => entry)
}

/** Chernoff: P(share of n at least `share`) <= exp(-n KL(share || p)) for share > p; n counts patients, not studies. */
function isBeyondChance(share: number, patients: number, baseRate: number, testCount: number): boolean {
  if (share <= baseRate) return false
  const divergence = share * Math.log(share / baseRate) + (share < 1 ? (1 - share) * Math.log((1 - share) / (1 - baseRate)) : 0)
  return patients * divergence >= Math.log(testCount / falseAlarmRate)
}

/** The label's name as a term, and its telling words: "Cataract" -> cataract; "COVID-19" -> covid. */
function wordsOfName(labelName: string): Set<string> {
  const words = clausesOf(labelName).flat()
  const telling = words.filter((word) => word.length >= 4 && !emptyWords.has(word))
  return new Set([...telling, ...(words.length <= 2 ? [words.join(' ')] : [])].filter((word) => word.length >= 3))
}

/** Terms that occur in at least three studies, with the studies that hold them. Phrases are built from such words only. */
function collectTerms(sample: readonly LabelledText[]): Term[] {
  const documents = sample.map(({ text }) => clausesOf(text ?? ''))
  const words = countTerms(documents, (sentences) => sentences.flat())
  const frequent = new Set(words.map(({ term }) => term))
  const phrases = countTerms(documents, (sentences) => sentences.flatMap((sentence) =>
    sentence.slice(1).flatMap((word, index) => (frequent.has(word) && frequent.has(sentence[index]!) ? [`${sentence[index]} ${word}`] : []))))
  return [...words, ...phrases]
}

function countTerms(documents: readonly string[][][], termsOf: (sentences: string[][]) => string[]): Term[] {
  const holders = new Map<string, number[]>()
  for (const [index, sentences] of documents.entries()) {
    for (const term of new Set(termsOf(sentences).slice(0, maxTermsPerStudy))) {
      const held = holders.get(term)
      if (held) held.push(index)
      else holders.set(term, [index])
    }
  }
  const terms: Term[] = []
  for (const [term, studies] of holders) if (studies.length >= minStudies) terms.push({ term, studies })
  return terms
}
