import type { Rng } from '../training/rng.ts'
import type { FundusTraits } from './fundus.ts'

/** The four synthetic conditions, in the order of the table's columns. */
export const demoLabels = ['Large cup', 'Bright deposits', 'Dark bleeds', 'Lens haze'] as const

/**
 * Constants of the generating equations; resources/demo/README.md explains them.
 *   y_k       = 1 when a_k + b_k + labelNoise * noise > labelCut
 *   shown_k,e = a_k + cameraEffect * c + eyeNoise * noise                 (drawn into the picture of eye e)
 *   told_k    = 1 when b_k + fairnessEffect * f + toldNoise * noise > 0   (said in the note)
 * with a_k and b_k = +1 or -1, c = +1 (older camera) or -1 (newer), f and every noise standard normal, all independent.
 */
export const signalConstants = {
  labelNoise: 0.5,
  labelCut: 0.7,
  /** Share of patients with a_k = +1, and with b_k = +1. */
  visibleShare: 0.5,
  reportedShare: 0.5,
  cameraEffect: 0.4,
  eyeNoise: 0.3,
  fairnessEffect: 0.4,
  toldNoise: 0.3,
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
  /** shown_k,e: how strong each sign is in each eye, about -2..+2. */
  shown: { right: number[]; left: number[] }
}

/** Draws labels and signal of one patient from the equations above. */
export function drawPatient(rng: Rng): DemoPatient {
  const constants = signalConstants
  const isOlderCamera = rng.uniform() < 0.5
  const fairness = rng.normal()
  const patient: DemoPatient = { isLabelled: [], isTold: [], isOlderCamera, fairness, shown: { right: [], left: [] } }
  for (let label = 0; label < demoLabels.length; label++) {
    const visible = rng.uniform() < constants.visibleShare ? 1 : -1
    const reported = rng.uniform() < constants.reportedShare ? 1 : -1
    patient.isLabelled.push(visible + reported + constants.labelNoise * rng.normal() > constants.labelCut)
    patient.isTold.push(reported + constants.fairnessEffect * fairness + constants.toldNoise * rng.normal() > 0)
    const photographed = visible + constants.cameraEffect * (isOlderCamera ? 1 : -1)
    patient.shown.right.push(photographed + constants.eyeNoise * rng.normal())
    patient.shown.left.push(photographed + constants.eyeNoise * rng.normal())
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

/** Turns what a patient shows into the strengths 0..1 that are drawn for one eye. */
export function traitsOf(patient: DemoPatient, side: 'right' | 'left'): FundusTraits {
  const [cup, pale, red, veil] = patient.shown[side] as [number, number, number, number]
  return {
    side,
    cup: 0.14 + 0.82 * strengthOf(cup, 0, 2.2),
    paleSpots: strengthOf(pale, 0.5, 2.2),
    redBlots: strengthOf(red, 0.5, 2.2),
    veil: strengthOf(veil, 0.9, 1.9),
    fairness: strengthOf(patient.fairness, 0, 1.5),
  }
}

/** Logistic curve: 0.5 at `middle`, the steeper the larger `slope`. */
function strengthOf(value: number, middle: number, slope: number): number {
  return 1 / (1 + Math.exp(-slope * (value - middle)))
}
