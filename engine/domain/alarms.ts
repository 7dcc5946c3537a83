import { z } from 'zod'
import { decisionDraftSchema } from './curation.ts'

/** Alarms of a cohort before anything is trained: what would make its results mean less than they seem to. */

/** Raised by one whenever the rules change what they find, so that kept reports of before are not shown. */
export const alarmRulesVersion = 2

export const alarmKindSchema = z.enum([
  'text-leak', 'presence-leak', 'metadata-leak', 'border-leak', 'shared-images', 'near-duplicates', 'patient-sites', 'impossible-ages', 'placeholder-ages', 'impossible-dates', 'age-jumps', 'sex-changes', 'few-cases',
])
export type AlarmKind = z.infer<typeof alarmKindSchema>

/** `serious`: results would be wrong or meaningless; `warning`: part of them may be. */
export const alarmSeveritySchema = z.enum(['serious', 'warning'])
export type AlarmSeverity = z.infer<typeof alarmSeveritySchema>

/** A table of what an alarm rests on; cells are words, numbers already written out. `studyIds`: the study behind each row, where it is one. */
export const alarmEvidenceSchema = z.object({ title: z.string(), columns: z.array(z.string()), rows: z.array(z.array(z.string())), note: z.string().nullable(), studyIds: z.array(z.number().int()).optional() })
export type AlarmEvidence = z.infer<typeof alarmEvidenceSchema>

export const alarmRemedySchema = z.object({ title: z.string(), draft: decisionDraftSchema })
export type AlarmRemedy = z.infer<typeof alarmRemedySchema>

export const alarmSchema = z.object({
  /** Stable for the same matter: kind and what it is about. */
  alarmId: z.string(),
  kind: alarmKindSchema,
  severity: alarmSeveritySchema,
  title: z.string(),
  /** What was found, with numbers. */
  text: z.string(),
  /** What to do. */
  action: z.string(),
  evidence: z.array(alarmEvidenceSchema),
  remedies: z.array(alarmRemedySchema),
})
export type Alarm = z.infer<typeof alarmSchema>

export const alarmReportSchema = z.object({
  /** State of the cohort that was looked at. */
  effectiveHash: z.string(),
  /** Images that had not been measured when the search was made: once they are, it is worth another one. */
  unmeasuredCount: z.number().int(),
  studyCount: z.number().int(),
  personCount: z.number().int(),
  /** What was looked at only in part, or not at all, and why. */
  notes: z.array(z.string()),
  /** What was looked for and not found, in words. */
  quiet: z.array(z.string()),
  /** Worst first. */
  alarms: z.array(alarmSchema),
  elapsedMs: z.number(),
})
export type AlarmReport = z.infer<typeof alarmReportSchema>

/** An alarm as it is kept with a run that was started although it was open. */
export const openAlarmSchema = alarmSchema.pick({ alarmId: true, kind: true, severity: true, title: true, text: true })
export type OpenAlarm = z.infer<typeof openAlarmSchema>
