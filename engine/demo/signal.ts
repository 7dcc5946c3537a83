import type { Rng } from '../training/rng.ts'
import type { FundusTraits } from './fundus.ts'

/** The four synthetic conditions, in the order of the table's columns. */
export const demoLabels = ['Large cup', 'Bright deposits', 'Dark bleeds', 'Lens haze'] as const

/**
 * Constants of the generating equations; resources/demo/README.md explains them.
 *   y_k       = 1 when a_k + b_k + interaction * a_k * b_k + labelNoise * noise > labelCut
 *   shown_k,e = a_k + cameraEffect * c + eyeNoise * noise                 (drawn into the picture of eye e)
 *   told_k    = 1 when b_k + fairnessEffect * f + toldNoise * noise > 0   (the complaint, said in the note)
 *   noted_k   = 1 when a_k + notedNoise * noise > 0                       (the examiner's impression, only in notes of the clinic)
 * with a_k and b_k = +1 or -1, c = +1 (older camera) or -1 (newer), f and every noise standard normal. All are independent of each
 * other and of the pathway, except c: which camera takes the picture depends on where the patient is seen.
 */
export const signalConstants = {
  interaction: 0.3,
  labelNoise: 0.5,
  labelCut: 0.5,
  /** Share of patients with a_k = +1, and with b_k = +1. */
  visibleShare: 0.5,
  reportedShare: 0.5,
  cameraEffect: 0.4,
  eyeNoise: 0.3,
  fairnessEffect: 0.4,
  toldNoise: 0.3,
  notedNoise: 0.6,
} as const

/** How a patient came into the cohort; decides what there is and which camera was used. */
export type Pathway = 'clinic' | 'screening' | 'letter'

/**
 * `share`: part of all patients. The screening unit takes pictures and writes no note; of those referred by letter nobody has taken a
 * picture yet; only the eye clinic has both, and there the note also says what the examiner saw on the pictures. `olderCamera`: share photographed with the older camera.
 */
export const pathways: Readonly<Record<Pathway, { share: number; hasImages: boolean; hasNote: boolean; olderCamera: number }>> = {
  clinic: { share: 0.25, hasImages: true, hasNote: true, olderCamera: 0.1 },
  screening: { share: 0.45, hasImages: true, hasNote: false, olderCamera: 0.9 },
  letter: { share: 0.3, hasImages: false, hasNote: true, olderCamera: 0 },
}

/** Of the patients with pictures, this share has one eye only: every second one has a blank cell, the others name a file that is not there. */
export const oneEyeShare = 0.1

export type EyeGap = 'blank' | 'file-missing'

/** What the table leaves out of one patient. */
export interface Gaps {
  pathway: Pathway
  hasNote: boolean
  right: EyeGap | null
  left: EyeGap | null
}

export interface DemoPatient {
  isLabelled: boolean[]
  isTold: boolean[]
  /** What the examiner thought to see of each sign; only the notes of the clinic say so. */
  isNoted: boolean[]
  isOlderCamera: boolean
  /** Fundus colour in standard deviations, high = fair. */
  fairness: number
  /** shown_k,e: how strong each sign is in each eye, about -2..+2. */
  shown: { right: number[]; left: number[] }
}

/** Draws labels and signal of one patient from the equations above; the labels do not depend on the pathway. */
export function drawPatient(pathway: Pathway, rng: Rng): DemoPatient {
  const constants = signalConstants
  const isOlderCamera = rng.uniform() < pathways[pathway].olderCamera
  const fairness = rng.normal()
  const patient: DemoPatient = { isLabelled: [], isTold: [], isNoted: [], isOlderCamera, fairness, shown: { right: [], left: [] } }
  for (let label = 0; label < demoLabels.length; label++) {
    const visible = rng.uniform() < constants.visibleShare ? 1 : -1
    const reported = rng.uniform() < constants.reportedShare ? 1 : -1
    const risk = visible + reported + constants.interaction * visible * reported + constants.labelNoise * rng.normal()
    patient.isLabelled.push(risk > constants.labelCut)
    patient.isTold.push(reported + constants.fairnessEffect * fairness + constants.toldNoise * rng.normal() > 0)
    patient.isNoted.push(visible + constants.notedNoise * rng.normal() > 0)
    const photographed = visible + constants.cameraEffect * (isOlderCamera ? 1 : -1)
    patient.shown.right.push(photographed + constants.eyeNoise * rng.normal())
    patient.shown.left.push(photographed + constants.eyeNoise * rng.normal())
  }
  return patient
}

/**
 * Decides who comes which way and so who lacks what: exact shares, no look at labels or signal.
 * Nobody lacks everything, because every pathway has pictures or a note, and a lost eye leaves the other one.
 */
export function drawGaps(patientCount: number, rng: Rng): Gaps[] {
  const clinicCount = Math.round(pathways.clinic.share * patientCount)
  const screeningCount = Math.round(pathways.screening.share * patientCount)
  const ordered = Array.from({ length: patientCount }, (_, index): Pathway => (index < clinicCount ? 'clinic' : index < clinicCount + screeningCount ? 'screening' : 'letter'))
  const gaps = rng.shuffle(ordered).map((pathway): Gaps => {
    const { hasImages, hasNote } = pathways[pathway]
    return { pathway, hasNote, right: hasImages ? null : 'blank', left: hasImages ? null : 'blank' }
  })
  const withPictures = rng.shuffle(gaps.filter((gap) => gap.right === null))
  withPictures.slice(0, Math.round(oneEyeShare * withPictures.length)).forEach((gap, index) => {
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
    isOlderCamera: patient.isOlderCamera,
  }
}

/** Logistic curve: 0.5 at `middle`, the steeper the larger `slope`. */
function strengthOf(value: number, middle: number, slope: number): number {
  return 1 / (1 + Math.exp(-slope * (value - middle)))
}
