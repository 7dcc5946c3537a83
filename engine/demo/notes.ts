import type { Rng } from '../training/rng.ts'

/**
 * Complaints and history told for each label, in the order of `demoLabels`. None of them uses a word of a label name:
 * the note must carry its part of the signal by meaning, and the app's alarm for label words must stay quiet.
 */
const complaintsByLabel: readonly (readonly string[])[] = [
  [
    'Eye pressure was raised twice and pressure lowering drops were started.',
    'Uses pressure drops every evening, side vision feels narrower.',
    'Eye pressure of 26 mmHg, overlooks people coming from the side.',
    'A brother takes drops for raised pressure inside the eye.',
    'Bumps into door frames because side vision has become narrower.',
    'Eye pressure 24 mmHg without drops, misses steps at the side.',
  ],
  [
    'Straight lines look wavy when reading and letters seem to bend.',
    'Letters in the middle of a line are distorted or missing.',
    'Reading needs a magnifier, a grey patch covers the middle.',
    'Straight edges appear crooked, faces are distorted in the middle.',
    'Central vision is worse for reading, printed lines look uneven.',
    'A grey patch sits in the middle of the page when reading.',
  ],
  [
    'Diabetes for many years with poorly controlled sugar, insulin since spring.',
    'Long-standing hypertension and diabetes, readings often above 170.',
    'New floaters like black threads drift about, diabetes for years.',
    'Takes a blood thinner and tablets for long-standing hypertension.',
    'Blood sugar far above target, feet are numb from diabetes.',
    'Hypertension despite three tablets, new floaters like soot this month.',
  ],
  [
    'Reports glare at night and no longer drives after sunset.',
    'Dazzled by headlights, glare makes driving at night difficult.',
    'Sees halos around street lamps and glare in low sun.',
    'Colours seem faded and misty, as if through frosted glass.',
    'Misty milky vision, dazzled by sunlight, colours seem yellowish.',
    'Glare from oncoming headlights, halos around lamps at night.',
  ],
]

/** What the examiner of the clinic wrote after a look at the pictures, for each label; no word of a label name here either. */
const impressionsByLabel: readonly (readonly string[])[] = [
  ['a thin rim', 'a wide pale excavation', 'a hollowed nerve head'],
  ['yellow flecks', 'pale spots near the centre', 'many yellowish dots'],
  ['red dots', 'small red blots', 'red spots along the vessels'],
  ['a misty view', 'a blurred fundus', 'no clear view of the fundus'],
]

/** Opens the letter of a patient whom no camera has seen yet. */
const referral: readonly string[] = [
  'Referred by the family doctor, who asks for an appointment.',
  'Letter from the optician next door asking for a check.',
  'Sent by the nurse of the practice, please arrange a visit.',
]

const noComplaint: readonly string[] = [
  'Came for a routine check without any complaint about the eyes.',
  'Feels well and has noticed no change in sight since last time.',
  'Annual review, satisfied with vision and with the present glasses.',
  'Invited for screening, no symptoms and no regular medication reported.',
]

/**
 * Writes a note of two to six sentences: the complaints, and before them who referred the patient or what the examiner saw.
 * @param isTold for each label in the order of `demoLabels`, whether the note tells of its complaints
 * @param isNoted whether the examiner saw the sign on the pictures; null in a letter, written before any picture was taken
 */
export function composeNote(isTold: readonly boolean[], isNoted: readonly boolean[] | null, rng: Rng): string {
  const complaints = isTold.flatMap((told, label) => (told ? [rng.pick(complaintsByLabel[label]!)] : []))
  const told = complaints.length > 0 ? rng.shuffle(complaints) : [rng.pick(noComplaint)]
  return [isNoted === null ? rng.pick(referral) : composeImpression(isNoted, rng), ...told].join(' ')
}

function composeImpression(isNoted: readonly boolean[], rng: Rng): string {
  const seen = rng.shuffle(isNoted.flatMap((noted, label) => (noted ? [rng.pick(impressionsByLabel[label]!)] : [])))
  return seen.length === 0 ? 'Pictures reviewed by the examiner, nothing unusual seen.' : `Pictures reviewed by the examiner, who saw ${seen.join(', ')}.`
}
