import { z } from 'zod'

/** What is looked for in free text. The order is that of the wizard. */
export const privacyRuleSchema = z.enum(['names', 'dates', 'birth-dates', 'phones', 'emails', 'urls', 'record-numbers', 'own-id', 'addresses', 'institutions', 'ages', 'own-list'])
export type PrivacyRule = z.infer<typeof privacyRuleSchema>

/** How an import treats what identifies. Stored with the mapping; a stored mapping without it was imported before texts were scrubbed. */
export const privacyOptionsSchema = z.object({
  /** Rules that the user switched off. All others work. */
  off: z.array(privacyRuleSchema).max(20).default([]),
  /** Reading of a date such as 03/04/2020 when nothing else in its text tells. */
  dateOrder: z.enum(['month-first', 'day-first']).default('month-first'),
  /** Words and names to remove wherever they stand as whole words, in any capitals. */
  words: z.array(z.string().trim().min(2).max(100)).max(2000).default([]),
  /** Shapes to remove: # a digit, @ a letter, anything else itself, e.g. "K-######". */
  shapes: z.array(z.string().trim().min(3).max(60)).max(200).default([]),
})
export type PrivacyOptions = z.infer<typeof privacyOptionsSchema>

export const defaultPrivacy: PrivacyOptions = privacyOptionsSchema.parse({})

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
})
export type PrivacyReport = z.infer<typeof privacyReportSchema>
