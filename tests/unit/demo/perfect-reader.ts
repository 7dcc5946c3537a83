import { pathways, signalConstants, type DemoPatient, type Pathway } from '../../../engine/demo/signal.ts'

/** What a reader may look at. */
export interface Seen {
  images: boolean
  note: boolean
  /** Whether the note says what the examiner saw on the pictures. */
  impression: boolean
}

const signs = [1, -1] as const

/**
 * P(y_k = 1 | what is seen) by Bayes' rule on the generating equations: the reader measures every sign, the camera and the fundus colour in
 * the pictures without error and understands every sentence. No method can rank better on average.
 */
export function perfectReading(patient: DemoPatient, label: number, seen: Seen): number {
  const constants = signalConstants
  const camera = patient.isOlderCamera ? 1 : -1
  const ofVisible = (visible: number): number => {
    const prior = visible > 0 ? constants.visibleShare : 1 - constants.visibleShare
    const agrees = normalCdf((patient.isNoted[label] ? visible : -visible) / constants.notedNoise)
    const fromNote = seen.impression ? prior * agrees : prior
    if (!seen.images) return fromNote
    const density = (value: number) => Math.exp(-0.5 * ((value - visible - constants.cameraEffect * camera) / constants.eyeNoise) ** 2)
    return fromNote * density(patient.shown.right[label]!) * density(patient.shown.left[label]!) + 1e-300
  }
  const ofReported = (reported: number): number => {
    const prior = reported > 0 ? constants.reportedShare : 1 - constants.reportedShare
    if (!seen.note) return prior
    // Without the pictures the fundus colour is not known and adds to the noise.
    const told = seen.images
      ? normalCdf((reported + constants.fairnessEffect * patient.fairness) / constants.toldNoise)
      : normalCdf(reported / Math.hypot(constants.toldNoise, constants.fairnessEffect))
    return prior * (patient.isTold[label] ? told : 1 - told) + 1e-300
  }
  let weighted = 0
  let total = 0
  for (const visible of signs) {
    for (const reported of signs) {
      const weight = ofVisible(visible) * ofReported(reported)
      const risk = visible + reported + constants.interaction * visible * reported - constants.labelCut
      weighted += weight * normalCdf(risk / constants.labelNoise)
      total += weight
    }
  }
  return weighted / total
}

/** What the pathway leaves to be seen. */
export function seenOn(pathway: Pathway): Seen {
  const { hasImages, hasNote } = pathways[pathway]
  return { images: hasImages, note: hasNote, impression: hasImages && hasNote }
}

/** Standard normal distribution function; Abramowitz and Stegun 1964, 26.2.17, error below 1e-7. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI) * t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z >= 0 ? 1 - tail : tail
}
