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

/** Said of the older camera, which exaggerates every sign, and of the newer one, which plays them down. */
const olderCamera: readonly string[] = [
  'Old camera used today, it exaggerates contrast and texture.',
  'Taken with the old camera, everything appears harsher than usual.',
  'Pictures from the old camera, contrast is far too strong.',
]
const newerCamera: readonly string[] = [
  'New camera used today, it renders soft and smooth pictures.',
  'Taken with the new camera, everything appears softer than usual.',
  'Pictures from the new camera, contrast is gentle and smooth.',
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
 * Writes a note of two to five sentences; about 4 % of the notes are longer than 64 word pieces (71 at most).
 * @param isTold for each label in the order of `demoLabels`, whether the note tells of its complaints
 * @param isOlderCamera which camera the note says was used; null in a letter written before any picture was taken
 */
export function composeNote(isTold: readonly boolean[], isOlderCamera: boolean | null, rng: Rng): string {
  const complaints = isTold.flatMap((told, label) => (told ? [rng.pick(complaintsByLabel[label]!)] : []))
  const told = complaints.length > 0 ? rng.shuffle(complaints) : [rng.pick(noComplaint)]
  const setting = rng.pick(isOlderCamera === null ? referral : isOlderCamera ? olderCamera : newerCamera)
  const body = rng.uniform() < 0.5 ? [setting, ...told] : [...told, setting]
  return body.join(' ')
}
