import type { Rng } from '../training/rng.ts'

/** The four synthetic conditions, in the order of the table's columns. */
export const demoLabels = ['Large cup', 'Bright deposits', 'Dark bleeds', 'Lens haze'] as const

/**
 * Constants of the generating equations; resources/demo/README.md explains them.
 *   y_k       = 1 when a_k + b_k + noise > threshold_k
 *   shown_k,e = a_k + camera * c + eye noise         (seen in the picture of eye e)
 *   told_k    = b_k + fairness * f > told threshold  (said in the note)
 * with a_k, b_k, f standard normal and c = +1 (older camera) or -1 (newer), all independent.
 */
export const signalConstants = {
  labelNoise: 0.25,
  /** Cut of a_k + b_k + noise in standard deviations: prevalences of about 31, 27, 24 and 31 %. */
  labelCuts: [0.5, 0.6, 0.7, 0.5],
  cameraEffect: 0.6,
  eyeNoise: 0.3,
  fairnessEffect: 0.6,
  /** Cut of the complaint in standard deviations: told by about 38 %. */
  toldCut: 0.3,
} as const

export const missingShares = {
  /** No note: blank cell. */
  note: 0.18,
  /** No picture of either eye: both cells blank. Never together with a missing note. */
  images: 0.14,
  /** One eye only: every second one has a blank cell, the others name a file that is not there. */
  oneEye: 0.1,
} as const

export type EyeGap = 'blank' | 'file-missing'

/** What the table leaves out of one patient. */
export interface Gaps {
  hasNote: boolean
  right: EyeGap | null
  left: EyeGap | null
}

export interface DemoPatient {
  isLabelled: boolean[]
  isTold: boolean[]
  isOlderCamera: boolean
  /** Fundus colour in standard deviations, high = fair. */
  fairness: number
  /** Strength of each sign in standard deviations, per eye. */
  shown: { right: number[]; left: number[] }
}

/** Draws labels and signal of one patient from the equations above. */
export function drawPatient(rng: Rng): DemoPatient {
  const { labelNoise, labelCuts, cameraEffect, eyeNoise, fairnessEffect, toldCut } = signalConstants
  const isOlderCamera = rng.uniform() < 0.5
  const fairness = rng.normal()
  const severityDeviation = Math.sqrt(2 + labelNoise ** 2)
  const complaintDeviation = Math.sqrt(1 + fairnessEffect ** 2)
  const patient: DemoPatient = { isLabelled: [], isTold: [], isOlderCamera, fairness, shown: { right: [], left: [] } }
  for (const cut of labelCuts) {
    const visible = rng.normal()
    const reported = rng.normal()
    patient.isLabelled.push(visible + reported + labelNoise * rng.normal() > cut * severityDeviation)
    patient.isTold.push(reported + fairnessEffect * fairness > toldCut * complaintDeviation)
    const photographed = visible + (isOlderCamera ? cameraEffect : -cameraEffect)
    patient.shown.right.push(photographed + eyeNoise * rng.normal())
    patient.shown.left.push(photographed + eyeNoise * rng.normal())
  }
  return patient
}

/**
 * Decides who lacks what, completely at random: exact shares, no look at labels or signal.
 * Nobody lacks everything, because those without a note are never among those without pictures.
 */
export function drawGaps(patientCount: number, rng: Rng): Gaps[] {
  const gaps: Gaps[] = Array.from({ length: patientCount }, () => ({ hasNote: true, right: null, left: null }))
  const order = rng.shuffle(gaps)
  const noteCount = Math.round(missingShares.note * patientCount)
  const imageCount = Math.round(missingShares.images * patientCount)
  const oneEyeCount = Math.round(missingShares.oneEye * patientCount)
  for (const gap of order.slice(0, noteCount)) gap.hasNote = false
  for (const gap of order.slice(noteCount, noteCount + imageCount)) Object.assign(gap, { right: 'blank', left: 'blank' })
  const withPictures = rng.shuffle(gaps.filter((gap) => gap.right === null))
  withPictures.slice(0, oneEyeCount).forEach((gap, index) => {
    const side = rng.uniform() < 0.5 ? 'right' : 'left'
    gap[side] = index % 2 === 0 ? 'blank' : 'file-missing'
  })
  return gaps
}
