import type { Rng } from '../training/rng.ts'

/**
 * Complaints and history told for each label, in the order of `demoLabels`. None of them uses a word of a label name:
 * the note must carry its part of the signal by meaning, and the app's alarm for label words must stay quiet.
 */
const complaintsByLabel: readonly (readonly string[])[] = [
  [
    'Eye pressure was raised at the last two visits and drops were started.',
    'Uses pressure lowering drops each evening and asks for a new prescription.',
    'A parent and a brother are treated for raised pressure in the eye.',
    'Bumps into door frames and overlooks people who come from the side.',
    'Side vision has become narrower and stairs are difficult to judge.',
    'Optician measured 26 mmHg in both eyes and advised an earlier review.',
    'Misses objects at the edge of view and stopped cycling in traffic.',
    'Intraocular pressure of 24 mmHg without treatment, thin corneas on both sides.',
  ],
  [
    'Straight lines look wavy when reading and door frames seem to bend.',
    'Letters in the middle of a word are distorted or missing.',
    'Faces are difficult to recognise although the outline of a person is clear.',
    'Smoked for most of adult life and takes vitamin tablets for the retina.',
    'Central vision is slowly getting worse, print needs a magnifier now.',
    'A grey patch sits in the middle of the page during reading.',
    'An older sister receives injections for wet macular disease.',
    'Crossword lines appear crooked with one eye covered, tiles look uneven.',
  ],
  [
    'Long-standing hypertension, readings often above 170 despite two tablets.',
    'Diabetes for many years with poorly controlled sugar, insulin since spring.',
    'New floaters like small threads or soot drift through the view.',
    'Takes a blood thinner for an irregular heartbeat and bruises easily.',
    'Blood pressure was very high last month and medication was increased.',
    'Long-term glucose value far above target, feet are numb as well.',
    'Suddenly saw black specks and cobwebs moving with the eye.',
    'Kidney function is reduced because of diabetes and high blood pressure.',
  ],
  [
    'Reports glare at night and no longer drives after sunset.',
    'Colours seem faded and everything looks as if through frosted glass.',
    'Headlights spread into rings, oncoming traffic is dazzling.',
    'Glasses were changed twice within a year and short-sightedness increases.',
    'Sees halos around street lamps and avoids low sun.',
    'Took steroid tablets for years, vision is misty in sunny weather.',
    'Dazzled by sunlight, white looks yellowish compared with before.',
    'Vision is milky like a dirty window, worse against the light.',
  ],
]

/** Said of the older camera, which exaggerates every sign, and of the newer one, which plays them down. */
const olderCamera: readonly string[] = [
  'Photographed with the old camera, which exaggerates contrast and texture.',
  'Pictures come from the old device in the corridor, strongly sharpened.',
  'Old camera used again today, its contrast setting is far too strong.',
  'Taken on the old portable unit, everything appears harsher than it is.',
]
const newerCamera: readonly string[] = [
  'Photographed with the new camera, which gives soft and smooth pictures.',
  'Pictures come from the new device, rendered softly with gentle contrast.',
  'New camera used today, its smooth rendering hides fine detail.',
  'Taken on the new scanner, everything appears softer than it is.',
]

const noComplaint: readonly string[] = [
  'Came for a routine check without any complaint about the eyes.',
  'Feels well and has noticed no change in sight since last time.',
  'Annual review, satisfied with vision and with the present glasses.',
  'Invited for screening, no symptoms and no regular medication reported.',
]

const openings: readonly string[] = ['', '', '', 'Patient comes for a check of both eyes. ', 'Seen in the afternoon clinic together with a relative. ']

/**
 * Writes a note of one to six sentences.
 * @param isTold for each label in the order of `demoLabels`, whether the note tells of its complaints
 * @param isOlderCamera which camera the note says was used
 */
export function composeNote(isTold: readonly boolean[], isOlderCamera: boolean, rng: Rng): string {
  const complaints = isTold.flatMap((told, label) => (told ? [rng.pick(complaintsByLabel[label]!)] : []))
  const told = complaints.length > 0 ? rng.shuffle(complaints) : [rng.pick(noComplaint)]
  const camera = rng.pick(isOlderCamera ? olderCamera : newerCamera)
  const body = rng.uniform() < 0.5 ? [camera, ...told] : [...told, camera]
  return rng.pick(openings) + body.join(' ')
}
