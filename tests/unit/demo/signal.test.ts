import { expect, test } from 'vitest'
import { composeNote } from '../../../engine/demo/notes.ts'
import { demoLabels, drawGaps, drawPatient, oneEyeShare, pathways, signalConstants, type Pathway } from '../../../engine/demo/signal.ts'
import { auroc } from '../../../engine/evaluation/ranking.ts'
import { findLabelWords } from '../../../engine/importers/label-words.ts'
import { createRng } from '../../../engine/training/rng.ts'
import { perfectReading, seenOn } from './perfect-reader.ts'

const root = createRng(7)
const gaps = drawGaps(8000, root.fork('missing'))
const patients = gaps.map(({ pathway }, index) => ({ pathway, ...drawPatient(pathway, root.fork(`patient-${index}`)) }))
const of = (pathway: Pathway) => patients.filter((patient) => patient.pathway === pathway)
const shareOf = <T>(items: readonly T[], is: (item: T) => boolean): number => items.filter(is).length / items.length

test.each(demoLabels.map((name, label) => ({ name, label })))('$name: picture and note each carry a part, together nearly all', ({ label }) => {
  const truth = patients.map((patient) => Number(patient.isLabelled[label]!))
  const ceiling = (images: boolean, note: boolean, impression: boolean) => auroc(truth, patients.map((patient) => perfectReading(patient, label, { images, note, impression }))).value!
  // The bounds are the ceilings of resources/demo/README.md, with room for the chance of 8,000 patients.
  expect(Math.abs(ceiling(true, false, false) - 0.812)).toBeLessThan(0.015)
  expect(Math.abs(ceiling(false, true, false) - 0.799)).toBeLessThan(0.015)
  expect(Math.abs(ceiling(false, true, true) - 0.939)).toBeLessThan(0.015)
  expect(Math.abs(ceiling(true, true, true) - 0.966)).toBeLessThan(0.01)
  expect(Math.abs(auroc(truth, patients.map((patient) => perfectReading(patient, label, seenOn(patient.pathway)))).value! - 0.874)).toBeLessThan(0.015)
  // One part alone is a smaller risk, both together far more than the sum.
  const risk = (isSign: boolean, isTold: boolean) => shareOf(patients.filter((patient) => patient.isTold[label] === isTold && (patient.shown.right[label]! + patient.shown.left[label]! > 0) === isSign), (patient) => patient.isLabelled[label]!)
  expect(risk(true, true)).toBeGreaterThan(0.8)
  expect(risk(true, false) + risk(false, true)).toBeLessThan(0.4)
  expect(risk(false, false)).toBeLessThan(0.05)
})

test('the label does not depend on the pathway, the camera does', () => {
  for (const pathway of Object.keys(pathways) as Pathway[]) {
    for (const label of demoLabels.keys()) expect(Math.abs(shareOf(of(pathway), (patient) => patient.isLabelled[label]!) - shareOf(patients, (patient) => patient.isLabelled[label]!))).toBeLessThan(0.04)
    expect(Math.abs(shareOf(of(pathway), (patient) => patient.isOlderCamera) - pathways[pathway].olderCamera)).toBeLessThan(0.03)
  }
})

test('the older camera exaggerates every sign', () => {
  const mean = (isOlder: boolean) => {
    const signs = patients.filter((patient) => patient.isOlderCamera === isOlder).flatMap((patient) => [...patient.shown.right, ...patient.shown.left])
    return signs.reduce((sum, value) => sum + value, 0) / signs.length
  }
  expect(mean(true) - mean(false)).toBeCloseTo(2 * signalConstants.cameraEffect, 1)
})

test('the examiner of the clinic sees nearly every sign, and now and then one that is not there', () => {
  const strong = (patient: (typeof patients)[number], label: number) => patient.shown.right[label]! + patient.shown.left[label]! > 0
  const pairs = patients.flatMap((patient) => [...demoLabels.keys()].map((label) => ({ isSign: strong(patient, label), isNoted: patient.isNoted[label]! })))
  expect(shareOf(pairs.filter(({ isSign }) => isSign), ({ isNoted }) => isNoted)).toBeGreaterThan(0.9)
  expect(shareOf(pairs.filter(({ isSign }) => !isSign), ({ isNoted }) => isNoted)).toBeGreaterThan(0.02)
  expect(shareOf(pairs.filter(({ isSign }) => !isSign), ({ isNoted }) => isNoted)).toBeLessThan(0.1)
})

test('the notes are short and name no label and no diagnosis behind one', () => {
  const forbidden = /\b(large|cups?|bright\w*|deposits?|dark\w*|bleed\w*|lens\w*|haz[ey]\w*|glaucoma\w*|drusen|exudat\w*|h(a)?emorrhag\w*|cataract\w*)\b/i
  patients.slice(0, 1000).forEach((patient, index) => {
    const note = composeNote(patient.isTold, patient.pathway === 'letter' ? null : patient.isNoted, root.fork(`note-${index}`))
    expect(note).not.toMatch(forbidden)
    expect(/^Pictures reviewed/.test(note)).toBe(patient.pathway !== 'letter')
    for (const sentence of note.split(/(?<=\.) /)) {
      const wordCount = sentence.split(' ').length
      expect(wordCount, sentence).toBeGreaterThanOrEqual(8)
      expect(wordCount, sentence).toBeLessThanOrEqual(30)
    }
  })
})

test.each([7, 11, 23])('the alarm for label words stays quiet on the notes of seed %i', (seed) => {
  const cohort = createRng(seed)
  const studies = drawGaps(600, cohort.fork('missing')).map(({ pathway, hasNote }, index) => {
    const rng = cohort.fork(`patient-${index}`)
    const patient = drawPatient(pathway, rng.fork('signal'))
    return {
      patientKey: `D${index}`,
      text: hasNote ? composeNote(patient.isTold, pathway === 'letter' ? null : patient.isNoted, rng.fork('note')) : null,
      labels: patient.isLabelled.map((is) => (is ? 1 : 0) as 0 | 1),
    }
  })
  expect(findLabelWords('notes', studies, demoLabels)).toEqual([])
})

test.each([60, 600])('of %i patients each pathway has its share and its gaps, and nobody has nothing', (patientCount) => {
  const drawn = drawGaps(patientCount, createRng(7))
  for (const [pathway, { share, hasImages, hasNote }] of Object.entries(pathways)) {
    const members = drawn.filter((gap) => gap.pathway === pathway)
    expect(members.length).toBe(Math.round(share * patientCount))
    expect(members.every((gap) => gap.hasNote === hasNote && (gap.right === null || gap.left === null) === hasImages)).toBe(true)
  }
  const withPictures = drawn.filter((gap) => gap.right === null || gap.left === null)
  const oneEyed = withPictures.filter((gap) => gap.right !== gap.left)
  expect(oneEyed.length).toBe(Math.round(oneEyeShare * withPictures.length))
  expect(oneEyed.filter((gap) => gap.right === 'file-missing' || gap.left === 'file-missing').length).toBe(Math.floor(oneEyed.length / 2))
  expect(drawn.every((gap) => gap.hasNote || gap.right === null || gap.left === null)).toBe(true)
})
