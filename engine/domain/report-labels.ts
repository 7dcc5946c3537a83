import { z } from 'zod'

/** Labels made from the words of reports by rules that can be read and changed; every place that lists one says that it is derived. */

const findingId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
/** Words in order: `a|b` either, `word*` any ending, `~` up to four words between. No other patterns, so that no list can make an import hang. */
const phrase = z.string().trim().min(2).max(120).regex(/\p{L}/u)

/** What a phrase of the language list does to the findings near it. */
export const cueKindSchema = z.enum(['negation-before', 'negation-after', 'uncertain-before', 'uncertain-after', 'uncertain-between', 'not-counted-before', 'no-negation', 'scope-end'])
export type CueKind = z.infer<typeof cueKindSchema>

/** Phrases of a finding: it is there, it is stated to be missing, it is in doubt, or the words mean something else. */
export const termKindSchema = z.enum(['terms', 'absent', 'uncertain', 'except'])
export type TermKind = z.infer<typeof termKindSchema>

/** The user's changes to the shipped rules; `off` takes a shipped phrase out, `add` brings a new one. */
export const ruleEditSchema = z.discriminatedUnion('list', [
  z.object({ list: z.literal('finding'), finding: findingId, kind: termKindSchema.default('terms'), phrase, change: z.enum(['add', 'off']) }),
  z.object({ list: z.literal('cue'), kind: cueKindSchema, phrase, change: z.enum(['add', 'off']) }),
])
export type RuleEdit = z.infer<typeof ruleEditSchema>

/** How labels are made from the text of a cohort; stored with the mapping, so that the next delivery is read alike. */
export const reportLabelsSchema = z.object({
  /** Text items that are read as one report, in this order. */
  slotIds: z.array(z.string().min(1).max(40)).min(1).max(8),
  /** Findings that become labels, by id. */
  findings: z.array(findingId).min(1).max(60),
  /** Label of a finding that the report leaves in doubt. */
  uncertain: z.enum(['unknown', 'positive', 'negative']).default('unknown'),
  /** Label of a finding that a report with findings or an impression does not name. */
  unmentioned: z.enum(['negative', 'unknown']).default('negative'),
  /** Findings of the user's own, whose phrases come as edits. */
  ownFindings: z.array(z.object({ id: findingId, title: z.string().trim().min(1).max(60) })).max(20).default([]),
  edits: z.array(ruleEditSchema).max(1000).default([]),
  /** Shipped lists that the cohort was begun with, so that another version of them is noticed; set when an import starts. */
  version: z.string().optional(),
})
export type ReportLabels = z.infer<typeof reportLabelsSchema>

/** The label of a finding as it is listed: the name itself says that it is derived, also in pages and files that know nothing of it. */
export function derivedLabelName(title: string): string {
  return `${title} (derived)`
}

export const mentionOutcomeSchema = z.enum(['positive', 'negative', 'uncertain', 'not-counted'])
export type MentionOutcome = z.infer<typeof mentionOutcomeSchema>

/** One place of a report that names a finding. `start` and `end` count the characters of `sentence`; `because` is the phrase that decided, as it stands there. */
export const mentionSchema = z.object({
  slotId: z.string(),
  section: z.enum(['findings', 'conclusion', 'not-read', 'none']),
  sentence: z.string().max(600),
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
  outcome: mentionOutcomeSchema,
  because: z.object({ start: z.number().int().nonnegative(), end: z.number().int().nonnegative(), kind: z.union([cueKindSchema, termKindSchema, z.literal('section')]) }).nullable(),
})
export type Mention = z.infer<typeof mentionSchema>

/** Why a label has its value: the decision and the sentences it rests on, deciding ones first. */
export const labelEvidenceSchema = z.object({
  finding: findingId,
  /** Name of the label in its cohort; set where the evidence goes with a study. */
  label: z.string().optional(),
  outcome: z.enum(['positive', 'negative', 'uncertain', 'unmentioned', 'no-report']),
  mentions: z.array(mentionSchema).max(8),
})
export type LabelEvidence = z.infer<typeof labelEvidenceSchema>

/** The shipped rules as the wizard lists them. */
export const labelRulesSchema = z.object({
  /** SHA-256 over both lists: another version of the app may have others. */
  version: z.string(),
  findings: z.array(z.object({ id: findingId, title: z.string(), isUsual: z.boolean(), terms: z.array(z.string()), absent: z.array(z.string()), uncertain: z.array(z.string()), except: z.array(z.string()) })),
  cues: z.array(z.object({ kind: cueKindSchema, phrases: z.array(z.string()) })),
})
export type LabelRules = z.infer<typeof labelRulesSchema>

/** What a preview or a check shows of derived labels: counts for each finding, and sentences to look at. */
export const derivedPreviewSchema = z.object({
  reportCount: z.number().int().nonnegative(),
  counts: z.array(z.object({ finding: findingId, title: z.string(), positive: z.number().int(), negative: z.number().int(), uncertain: z.number().int(), unmentioned: z.number().int(), noReport: z.number().int() })),
  samples: z.array(z.object({ row: z.number().int(), patientKey: z.string(), finding: findingId, mention: mentionSchema })).max(400),
})
export type DerivedPreview = z.infer<typeof derivedPreviewSchema>
