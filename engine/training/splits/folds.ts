import { createHash } from 'node:crypto'
import type { RandomSource } from '../../compute/random-source.ts'
import type { Split, SplitProof, SplitSettings } from '../../domain/run.ts'
import { stratifyUnits } from './stratify.ts'

/** Of the patients outside the test fold, this share is held out to choose the epoch and the thresholds. */
const valShareOfRest = 0.2

/** What a split needs to know of a study. `labels`: 1, 0 or NaN (unknown). */
export interface SplitStudy {
  patientId: number
  patientKey: string
  studyKey: string
  pattern: string
  labels: Float32Array
}

/**
 * Assigns every study to train, val or test in every fold, by patient, stratified by label and presence pattern.
 * A patient is one unit: it counts for a label if any study carries it, and for the pattern of its first study.
 *
 * @returns assignments[fold][study] and the proof to be stored with the run
 */
export function assignFolds(studies: readonly SplitStudy[], settings: SplitSettings, createRandom: (seed: number) => RandomSource, seed: number): { assignments: Split[][]; proof: SplitProof } {
  const patients = [...new Set(studies.map((study) => study.patientId))]
  const indexOfPatient = new Map(patients.map((patientId, index) => [patientId, index]))
  const { units, strataCount } = strataOfPatients(studies, indexOfPatient)
  const random = createRandom(seed)

  const sidesByFold: Split[][] = []
  if (settings.kind === 'holdout') {
    const part = stratifyUnits(units, strataCount, [settings.train, settings.val, settings.test], random)
    sidesByFold.push(part.map((index) => (['train', 'val', 'test'] as const)[index]!))
  } else {
    const foldOf = stratifyUnits(units, strataCount, new Array<number>(settings.folds).fill(1 / settings.folds), random)
    for (let fold = 0; fold < settings.folds; fold++) {
      const rest = patients.map((_, index) => index).filter((index) => foldOf[index] !== fold)
      const restPart = stratifyUnits(rest.map((index) => units[index]!), strataCount, [1 - valShareOfRest, valShareOfRest], random)
      const sides = new Array<Split>(patients.length).fill('test')
      rest.forEach((patient, position) => (sides[patient] = restPart[position] === 0 ? 'train' : 'val'))
      sidesByFold.push(sides)
    }
  }
  const assignments = sidesByFold.map((sides) => studies.map((study) => sides[indexOfPatient.get(study.patientId)!]!))
  return { assignments, proof: proveSplit(studies, assignments) }
}

function strataOfPatients(studies: readonly SplitStudy[], indexOfPatient: ReadonlyMap<number, number>): { units: number[][]; strataCount: number } {
  const labelCount = studies[0]?.labels.length ?? 0
  const patterns = [...new Set(studies.map((study) => study.pattern))].sort()
  const strata = Array.from({ length: indexOfPatient.size }, () => new Set<number>())
  const hasPattern = new Set<number>()
  for (const study of studies) {
    const patient = indexOfPatient.get(study.patientId)!
    study.labels.forEach((value, label) => {
      if (value === 1) strata[patient]!.add(label)
    })
    if (!hasPattern.has(patient)) strata[patient]!.add(labelCount + patterns.indexOf(study.pattern))
    hasPattern.add(patient)
  }
  return { units: strata.map((set) => [...set].sort((a, b) => a - b)), strataCount: labelCount + patterns.length }
}

/**
 * Counts, from the assignments themselves, the patients on each side of every fold and hashes the table.
 * Throws (a bug, not a user error) when a patient stands on two sides: such a run must never start.
 */
export function proveSplit(studies: readonly Pick<SplitStudy, 'patientId' | 'patientKey' | 'studyKey'>[], assignments: readonly (readonly Split[])[]): SplitProof {
  const hash = createHash('sha256')
  const folds = assignments.map((sides, fold) => {
    const sideOf = new Map<number, Split>()
    studies.forEach((study, index) => {
      const side = sides[index]!
      const known = sideOf.get(study.patientId)
      if (known !== undefined && known !== side) throw new Error(`Split bug: patient ${study.patientKey} stands in ${known} and ${side} of fold ${fold}.`)
      sideOf.set(study.patientId, side)
      hash.update(`${fold}\t${study.patientKey}\t${study.studyKey}\t${side}\n`)
    })
    const count = (side: Split) => [...sideOf.values()].filter((value) => value === side).length
    return { fold, train: count('train'), val: count('val'), test: count('test'), patientsOnTwoSides: 0 as const }
  })
  return { splitHash: hash.digest('hex'), folds, patientCount: new Set(studies.map((study) => study.patientId)).size, studyCount: studies.length }
}
