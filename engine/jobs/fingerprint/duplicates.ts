import type { Fingerprint, ShownImage } from '../../domain/fingerprint.ts'
import { findNearDuplicates, minSimilarity } from '../../fingerprint/near-duplicates.ts'
import type { MeasuredImage } from '../../store/repositories/image-measures.ts'

const listedGroups = 40
const listedPairs = 60
const shownOfGroup = 6

/** Byte-identical images, those of different patients first. */
export function groupDuplicates(images: readonly MeasuredImage[], show: (image: MeasuredImage) => ShownImage): Fingerprint['duplicates'] {
  const keyOf = (image: MeasuredImage): string => show(image).patientKey
  const groups = [...Map.groupBy(images, ({ sha256 }) => sha256).values()].filter((group) => group.length > 1).map((group) => {
    const shown = group.map(show)
    return { images: onePerPatientFirst(shown).slice(0, shownOfGroup), count: group.length, patients: new Set(shown.map(({ patientKey }) => patientKey)).size }
  })
  groups.sort((a, b) => b.patients - a.patients || b.count - a.count || a.images[0]!.studyId - b.images[0]!.studyId)
  const patientsOf = (isAcross: boolean): number => new Set(duplicatesAmong(images, keyOf, isAcross).map(keyOf)).size
  return {
    groups: groups.slice(0, listedGroups), groupCount: groups.length, acrossPatients: groups.filter(({ patients }) => patients > 1).length,
    patients: patientsOf(false), patientsAcross: patientsOf(true),
  }
}

/** Every image whose file occurs more than once; with `isAcross` only files that more than one patient has. */
export function duplicatesAmong(images: readonly MeasuredImage[], keyOf: (image: MeasuredImage) => string, isAcross: boolean): MeasuredImage[] {
  return [...Map.groupBy(images, ({ sha256 }) => sha256).values()].filter((group) => group.length > 1 && (!isAcross || new Set(group.map(keyOf)).size > 1)).flat()
}

function onePerPatientFirst(images: readonly ShownImage[]): ShownImage[] {
  const firsts = [...Map.groupBy(images, ({ patientKey }) => patientKey).values()].map((own) => own[0]!)
  return [...firsts, ...images.filter((image) => !firsts.includes(image))]
}

/** Pairs of files that differ and show the same; the pairs of different patients are listed, those of one patient only counted. */
export function pairNearDuplicates(images: readonly MeasuredImage[], show: (image: MeasuredImage) => ShownImage): Fingerprint['nearDuplicates'] {
  const groups = [...Map.groupBy(images, ({ sha256 }) => sha256).values()].map((group) => group.map((image) => ({ image, shown: show(image) })))
  const { pairs, compared, radius } = findNearDuplicates(groups.map(([first]) => ({
    slotId: first!.image.slotId, perceptualHash: first!.image.measures.perceptualHash, sdLuminance: first!.image.measures.sdLuminance, thumbnail: first!.image.measures.thumbnail,
  })))
  const judged = pairs.map(({ first, second, hammingDistance, similarity }) => {
    // A content that several patients hold pairs with each of them; one such pair stands for all.
    const [ones, others] = [groups[first]!, groups[second]!]
    const across = ones.flatMap((one) => others.map((other) => [one.shown, other.shown] as const)).find(([one, other]) => one.patientKey !== other.patientKey)
    return { first: across?.[0] ?? ones[0]!.shown, second: across?.[1] ?? others[0]!.shown, isAcross: across !== undefined, hammingDistance, similarity }
  })
  const across = judged.filter(({ isAcross }) => isAcross)
  const within = judged.filter(({ isAcross }) => !isAcross)
  const shownIn = (list: typeof judged): ShownImage[] => list.flatMap(({ first, second }) => [first, second])
  const studyIdsOf = (list: typeof judged): number[] => [...new Set(shownIn(list).map(({ studyId }) => studyId))].sort((a, b) => a - b)
  const patientsOf = (list: typeof judged): number => new Set(shownIn(list).map(({ patientKey }) => patientKey)).size
  return {
    pairs: across.slice(0, listedPairs).map(({ isAcross: _isAcross, ...pair }) => pair),
    acrossPatients: across.length, withinPatient: within.length, compared, radius, minSimilarity,
    acrossStudyIds: studyIdsOf(across), patientsAcross: patientsOf(across), withinStudyIds: studyIdsOf(within), patientsWithin: patientsOf(within),
  }
}
