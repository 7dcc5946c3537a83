import { z } from 'zod'

/** What is looked for in free text. The order is that of the wizard. */
export const privacyRuleSchema = z.enum(['names', 'dates', 'birth-dates', 'phones', 'emails', 'urls', 'record-numbers', 'own-id', 'addresses', 'institutions', 'ages', 'own-list'])
export type PrivacyRule = z.infer<typeof privacyRuleSchema>

/** Edition of the rules for texts and of the header profile. 2: names, places and dates by what stands around them. 3: labels, forms, wrapped lines, months of other languages. */
export const privacyEdition = 3

/** How an import treats what identifies. Stored with the mapping; a stored mapping without it was imported before texts were scrubbed. */
export const privacyOptionsSchema = z.object({
  /** Rules that the user switched off. All others work. */
  off: z.array(privacyRuleSchema).max(20).default([]),
  /** Reading of a date such as 03/04/2020 when nothing else in its text tells. */
  dateOrder: z.enum(['month-first', 'day-first']).default('month-first'),
  /** Words and names to remove wherever they stand as whole words, in any capitals. */
  words: z.array(z.string().trim().min(2).max(100)).max(5000).default([]),
  /** Shapes to remove: # a digit, @ a letter, anything else itself, e.g. "K-######". */
  shapes: z.array(z.string().trim().min(3).max(60)).max(200).default([]),
  /** Which edition of the rules and of the header profile an import was made with. */
  profileVersion: z.number().int().positive().default(1),
  /** Moved dates keep intervals; without them every date becomes [DATE]. */
  dates: z.enum(['shift', 'remove']).default('shift'),
  /** Age in years and sex, or neither. */
  characteristics: z.enum(['keep', 'remove']).default('keep'),
  /** Images that may show text: imported and listed for review, or left out at once. */
  burnedIn: z.enum(['review', 'exclude']).default('review'),
})
export type PrivacyOptions = z.infer<typeof privacyOptionsSchema>

export const defaultPrivacy: PrivacyOptions = privacyOptionsSchema.parse({})

/** The options with the order of the table's dates for texts too, which were written in the same house; an order that says nothing of texts changes nothing. */
export function withOrderOfTable(privacy: PrivacyOptions, order: string | null): PrivacyOptions {
  return order === 'day-first' || order === 'month-first' ? { ...privacy, dateOrder: order } : privacy
}

/** The profile that headers are judged by. Codes of options: PS3.16, CID 7050. */
export const privacyProfile = { code: '113100', standard: 'DICOM PS3.15 2024b, Annex E' } as const

export interface ProfileChoice { code: string; title: string; state: 'yes' | 'no' | 'partly'; words: string }

/** The options of the profile as they stand under a user's choices, in the order of the standard. */
export function profileChoices({ dates, characteristics, burnedIn, off }: PrivacyOptions): ProfileChoice[] {
  const isMoved = dates === 'shift' && !off.includes('dates')
  return [
    { code: '113101', title: 'Clean pixel data', state: 'partly', words: burnedIn === 'exclude' ? 'Images that may show text are left out.' : 'Images that may show text are imported and listed for your review; pixels are never changed.' },
    { code: '113102', title: 'Clean recognisable features', state: 'no', words: 'Faces in photographs and head scans stay as they are.' },
    { code: '113103', title: 'Clean graphics', state: 'yes', words: 'Overlays, curves and drawn marks of a header are not kept.' },
    { code: '113104', title: 'Clean structured content', state: 'yes', words: 'Texts of DICOM reports go through the same rules as notes.' },
    { code: '113105', title: 'Clean descriptors', state: 'yes', words: 'Body part, view and side are kept as codes; free descriptions and comments are not kept.' },
    { code: '113107', title: 'Keep intervals with moved dates', state: isMoved ? 'yes' : 'no', words: isMoved ? 'All dates of a patient, in texts and of studies, are moved by one number of days. Dates of birth are never kept.' : off.includes('dates') ? 'The rule for dates is switched off: dates in texts stay as they are. Dates of studies are moved all the same.' : 'No date is kept.' },
    { code: '113108', title: 'Keep patient characteristics', state: characteristics === 'keep' ? 'partly' : 'no', words: characteristics === 'keep' ? 'Age in years (over 89 as 90) and sex; nothing else.' : 'Neither age nor sex is kept.' },
    { code: '113106, 113109 to 113112', title: 'Keep full dates, devices, identifiers, private fields, institution', state: 'no', words: 'None of them is kept.' },
  ]
}

/** Codes of the profile and of the options in force, for the audit log and the record of the cohort. */
export function profileCodes(options: PrivacyOptions): string {
  return [privacyProfile.code, ...profileChoices(options).filter(({ state, code }) => state !== 'no' && code !== '113101').map(({ code }) => code)].join(', ')
}

/** One rule as the wizard and the command line list it. `example` and `becomes` are made up. */
export interface PrivacyRuleNote { rule: PrivacyRule; title: string; finds: string; example: string; becomes: string }

export const privacyRules: readonly PrivacyRuleNote[] = [
  { rule: 'names', title: 'Names of persons', finds: 'after titles, on "Name:" and signature lines, before degrees, common given and family names, and every name in a name column or DICOM header of the same patient', example: 'Seen by Dr Jane Miller', becomes: 'Seen by Dr [NAME]' },
  { rule: 'dates', title: 'Dates', finds: 'day, month and year in any order, month and year, day and month; all dates of a patient are moved by the same number of days, so intervals stay', example: 'CT on 14 March 2020', becomes: 'CT on 2018-09-02' },
  { rule: 'birth-dates', title: 'Dates of birth', finds: 'a date after "DOB", "born" or "date of birth"', example: 'DOB: 03/04/1951', becomes: 'DOB: [DATE OF BIRTH]' },
  { rule: 'phones', title: 'Telephone and fax numbers', finds: 'numbers after words such as "tel", "fax" and "pager", and numbers written like telephone numbers', example: 'Tel. (555) 010-2233', becomes: 'Tel. [PHONE]' },
  { rule: 'emails', title: 'E-mail addresses', finds: 'name@place', example: 'write to ward3@example.org', becomes: 'write to [EMAIL]' },
  { rule: 'urls', title: 'Web and network addresses', finds: 'addresses with http or www, known endings, IP numbers', example: 'see www.example.org/p/7', becomes: 'see [URL]' },
  { rule: 'record-numbers', title: 'Record numbers', finds: 'MRN, accession, insurance, social security and similar numbers, and bare numbers of seven digits or more', example: 'MRN 00481516', becomes: 'MRN [NUMBER]' },
  { rule: 'own-id', title: 'The patient\'s own numbers', finds: 'the patient\'s ID, study number, the names of its files and what identifier columns of its rows hold', example: 'copy of PX-20771', becomes: 'copy of [ID]' },
  { rule: 'addresses', title: 'Addresses and postcodes', finds: 'house number and street, post boxes, postcodes, places after "lives in"', example: 'lives at 12 Elm Street', becomes: 'lives at [ADDRESS]' },
  { rule: 'institutions', title: 'Hospitals and clinics by name', finds: 'capitalised words before Hospital, Clinic, Medical Center and the like', example: 'transferred from Riverbend Hospital', becomes: 'transferred from [INSTITUTION]' },
  { rule: 'ages', title: 'Ages over 89', finds: 'in texts and in the age column', example: '93-year-old woman', becomes: '90+-year-old woman' },
  { rule: 'own-list', title: 'Your own list', finds: 'words and shapes that you add here', example: 'seen by Zephyrine', becomes: 'seen by [REMOVED]' },
]

/** What the rules found in the texts of one slot, over the whole table. Examples are masked: first letters and signs only. */
export const privacyFindingsSchema = z.object({
  slotId: z.string(),
  rule: privacyRuleSchema,
  count: z.number().int().nonnegative(),
  studyCount: z.number().int().nonnegative(),
  examples: z.array(z.object({ row: z.number().int(), masked: z.string(), becomes: z.string() })).max(5),
})
export type PrivacyFindings = z.infer<typeof privacyFindingsSchema>

export const privacyReportSchema = z.object({
  options: privacyOptionsSchema,
  studiesWithText: z.number().int().nonnegative(),
  studiesChanged: z.number().int().nonnegative(),
  /** Patients whose age was over 89 and is stored as 90. */
  agesCapped: z.number().int().nonnegative(),
  findings: z.array(privacyFindingsSchema),
  /** Header attributes of the DICOM files that identify or could, with what becomes of them; counts only. Null without DICOM files. */
  headers: z.object({
    files: z.number().int().nonnegative(),
    attributes: z.array(z.object({ name: z.string(), fate: z.enum(['removed', 'pseudonym', 'shifted', 'generalised', 'cleaned']), files: z.number().int().positive() })),
  }).nullable().default(null),
  /** Images that may show text. */
  textImages: z.number().int().nonnegative().default(0),
})
export type PrivacyReport = z.infer<typeof privacyReportSchema>

/** A text in pieces: as it stands, or with the rule that replaces it. For the wizard only; never stored. */
export const privacyPartSchema = z.object({ text: z.string(), rule: privacyRuleSchema.nullable(), becomes: z.string().nullable() })
export type PrivacyPart = z.infer<typeof privacyPartSchema>

/** The rules tried on a typed example and on the first notes of a table. */
export const privacyTrialSchema = z.object({
  example: z.array(privacyPartSchema),
  textsRead: z.number().int().nonnegative(),
  textsChanged: z.number().int().nonnegative(),
  rules: z.array(z.object({ rule: privacyRuleSchema, count: z.number().int().positive() })),
  /** Hits of each entry of the user's own list, in its order; entries that hit nothing count 0. */
  own: z.array(z.object({ entry: z.string(), count: z.number().int().nonnegative() })),
  samples: z.array(z.object({ row: z.number().int(), slotId: z.string(), parts: z.array(privacyPartSchema) })),
})
export type PrivacyTrial = z.infer<typeof privacyTrialSchema>
