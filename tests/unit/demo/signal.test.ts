import { expect, test } from 'vitest'
import { composeNote } from '../../../engine/demo/notes.ts'
import { demoLabels, drawGaps, drawPatient } from '../../../engine/demo/signal.ts'
import { findLabelWords } from '../../../engine/importers/label-words.ts'
import { createRng } from '../../../engine/training/rng.ts'

const root = createRng(7)
const patients = Array.from({ length: 4000 }, (_, index) => drawPatient(root.fork(`patient-${index}`)))

/** Probability that a positive has the larger value; ties count half. */
function auroc(values: readonly number[], isPositive: readonly boolean[]): number {
  const order = values.map((value, index) => ({ value, positive: isPositive[index]! })).sort((a, b) => a.value - b.value)
  let below = 0
  let wins = 0
  for (let start = 0; start < order.length;) {
    let end = start
    while (end < order.length && order[end]!.value === order[start]!.value) end++
    const ties = order.slice(start, end)
    const negatives = ties.filter((item) => !item.positive).length
    wins += (ties.length - negatives) * (below + negatives / 2)
    below += negatives
    start = end
  }
  return wins / (below * (order.length - below))
}

test.each(demoLabels.map((name, label) => ({ name, label })))('$name: picture and note each carry a part, together nearly all', ({ label }) => {
  const positive = patients.map((patient) => patient.isLabelled[label]!)
  const shown = patients.map((patient) => patient.shown.right[label]! + patient.shown.left[label]!)
  const told = patients.map((patient) => Number(patient.isTold[label]!))
  const prevalence = positive.filter(Boolean).length / positive.length
  // What a perfect reader of one modality could reach; the bounds are those promised in resources/demo/README.md.
  const both = auroc(shown.map((value, index) => value / 2 + 2 * told[index]!), positive)
  expect(prevalence).toBeGreaterThan(0.2)
  expect(prevalence).toBeLessThan(0.35)
  expect(auroc(shown, positive)).toBeGreaterThan(0.75)
  expect(auroc(shown, positive)).toBeLessThan(0.85)
  expect(auroc(told, positive)).toBeGreaterThan(0.75)
  expect(auroc(told, positive)).toBeLessThan(0.85)
  expect(both).toBeGreaterThan(0.9)
})

test('the notes are short and name no label and no diagnosis behind one', () => {
  const forbidden = /\b(large|cups?|bright\w*|deposits?|dark\w*|bleed\w*|lens\w*|haz[ey]\w*|glaucoma\w*|drusen|exudat\w*|h(a)?emorrhag\w*|cataract\w*)\b/i
  patients.slice(0, 1000).forEach((patient, index) => {
    const note = composeNote(patient.isTold, patient.isOlderCamera, root.fork(`note-${index}`))
    expect(note).not.toMatch(forbidden)
    for (const sentence of note.split(/(?<=\.) /)) {
      const wordCount = sentence.split(' ').length
      expect(wordCount, sentence).toBeGreaterThanOrEqual(8)
      expect(wordCount, sentence).toBeLessThanOrEqual(30)
    }
  })
})

test.each([7, 11, 23])('the alarm for label words stays quiet on the notes of seed %i', (seed) => {
  const cohort = createRng(seed)
  const gaps = drawGaps(240, cohort.fork('missing'))
  const studies = gaps.map((gap, index) => {
    const rng = cohort.fork(`patient-${index}`)
    const patient = drawPatient(rng.fork('signal'))
    return {
      patientKey: `D${index}`,
      text: gap.hasNote ? composeNote(patient.isTold, patient.isOlderCamera, rng.fork('note')) : null,
      labels: patient.isLabelled.map((is) => (is ? 1 : 0) as 0 | 1),
    }
  })
  expect(findLabelWords('notes', studies, demoLabels)).toEqual([])
})

test('gaps have the documented shares and leave nobody with nothing', () => {
  const gaps = drawGaps(240, createRng(7))
  const share = (is: (gap: (typeof gaps)[number]) => boolean): number => gaps.filter(is).length
  expect(share((gap) => !gap.hasNote)).toBe(43)
  expect(share((gap) => gap.right === 'blank' && gap.left === 'blank')).toBe(34)
  expect(share((gap) => (gap.right === null) !== (gap.left === null))).toBe(24)
  expect(share((gap) => gap.right === 'file-missing' || gap.left === 'file-missing')).toBe(12)
  expect(share((gap) => !gap.hasNote && gap.right !== null && gap.left !== null)).toBe(0)
})
