import { z } from 'zod'
import type { Slot } from './slots.ts'
import { clauseEnd, wordsOf, type Word } from './words.ts'

/**
 * Decisions over an imported cohort. None changes what was imported: the effective cohort is derived from the imported rows and the
 * decisions that are not undone (engine/store/curation). Parameters name pseudonyms and numbers of the store only.
 */

const slotId = z.string().min(1).max(40)
const studyId = z.number().int().positive()

export const decisionDraftSchema = z.discriminatedUnion('kind', [
  /** Words and phrases of a text that the model must not read; matched as whole words in any case. */
  z.object({ kind: z.literal('mask-words'), slotId, words: z.array(z.string().trim().min(1).max(200)).min(1).max(5000) }),
  /** A modality that is not used at all. */
  z.object({ kind: z.literal('drop-slot'), slotId }),
  /** Keys that are one person each: the studies of a group stand on one side of every split. */
  z.object({ kind: z.literal('merge-patients'), groups: z.array(z.array(z.string().min(1).max(80)).min(2)).min(1).max(20_000) }),
  z.object({ kind: z.literal('exclude-studies'), studyIds: z.array(studyId).min(1).max(100_000) }),
  /** Whether the days of these studies count, whatever speaks against them. The latest decision on a study is the one that holds. */
  z.object({ kind: z.literal('judge-dates'), studyIds: z.array(studyId).min(1).max(100_000), isUsed: z.boolean() }),
  z.object({ kind: z.literal('exclude-items'), items: z.array(z.object({ studyId, slotId })).min(1).max(100_000) }),
])
export type DecisionDraft = z.infer<typeof decisionDraftSchema>

export const decisionReasonSchema = z.string().trim().max(1000)

/** A decision as it was made. `effect` says in words and counts what it changed; `undo` is null while it counts. */
export const decisionSchema = z.object({
  decisionId: z.number().int(),
  draft: decisionDraftSchema,
  effect: z.string(),
  reason: z.string(),
  madeBy: z.string(),
  madeAt: z.string(),
  undo: z.object({ reason: z.string(), undoneBy: z.string(), undoneAt: z.string() }).nullable(),
})
export type Decision = z.infer<typeof decisionSchema>

/** What the decisions that count have made of a cohort, for the pages that show it. */
export const curationSummarySchema = z.object({
  /** SHA-256 over content and decisions; equals the content hash while no decision counts, null until the import is complete. */
  effectiveHash: z.string().nullable(),
  decisionCount: z.number().int().nonnegative(),
  droppedSlotIds: z.array(z.string()),
  excludedStudyCount: z.number().int().nonnegative(),
})
export type CurationSummary = z.infer<typeof curationSummarySchema>

/** Why a study is excluded, for its own page: the newest decision that says so, and how many decisions do. */
export const exclusionSchema = z.object({ decisionId: z.number().int(), reason: z.string(), madeBy: z.string(), madeAt: z.string(), decisionCount: z.number().int().positive() })
export type Exclusion = z.infer<typeof exclusionSchema>

/** A decision in one line. */
const decisionLineSchema = z.object({ decisionId: z.number().int(), what: z.string(), effect: z.string(), at: z.string() })
export type DecisionLine = z.infer<typeof decisionLineSchema>

/** How a run stands to the decisions: what it left out, and what was decided or undone since it began, which its numbers know nothing of. */
export const runCurationSchema = z.object({
  excludedStudies: z.number().int().nonnegative(),
  excludedPatients: z.number().int().nonnegative(),
  decidedSince: z.array(decisionLineSchema),
  undoneSince: z.array(decisionLineSchema),
})
export type RunCuration = z.infer<typeof runCurationSchema>

/** What a decision does, short: the name of a line in the audit log and on the list. */
export function describeDecision(draft: DecisionDraft, slots: readonly Pick<Slot, 'slotId' | 'title'>[]): string {
  const titleOf = (id: string) => slots.find((slot) => slot.slotId === id)?.title ?? id
  switch (draft.kind) {
    case 'mask-words': return `Mask ${counted(draft.words.length, 'word')} in ${titleOf(draft.slotId)}`
    case 'drop-slot': return `Leave out ${titleOf(draft.slotId)}`
    case 'merge-patients': return `Count ${counted(draft.groups.flat().length, 'patient key')} as ${counted(draft.groups.length, 'person', 'persons')}`
    case 'exclude-studies': return `Exclude ${counted(draft.studyIds.length, 'study', 'studies')}`
    case 'judge-dates': return `${draft.isUsed ? 'Use' : 'Leave out'} the ${draft.studyIds.length === 1 ? 'date' : 'dates'} of ${counted(draft.studyIds.length, 'study', 'studies')}`
    case 'exclude-items': return `Exclude ${counted(draft.items.length, 'item')}`
  }
}

/** "1 study", "12 studies". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Groups that share a key are one group: A with B, and B with C, makes one person of three. */
export function joinGroups(groups: readonly (readonly string[])[]): string[][] {
  const parent = new Map<string, string>()
  const rootOf = (key: string): string => {
    const above = parent.get(key) ?? key
    if (above === key) return key
    const root = rootOf(above)
    parent.set(key, root)
    return root
  }
  for (const group of groups) {
    for (const key of group) {
      const [a, b] = [rootOf(group[0]!), rootOf(key)]
      if (!parent.has(a)) parent.set(a, a)
      parent.set(b, a)
    }
  }
  return [...Map.groupBy([...parent.keys()], rootOf).values()]
}

export const textPartSchema = z.object({ text: z.string(), isMasked: z.boolean() })
export type TextPart = z.infer<typeof textPartSchema>

/** Finds the words and phrases of a mask in texts; made once for many texts. */
export interface TextMask {
  /** The whole text in pieces, those that the model does not read marked. */
  parts: (text: string) => TextPart[]
  /** What the model reads. The same text, unchanged to the character, where nothing is masked. */
  apply: (text: string) => string
}

/**
 * A masked word leaves a blank, not a sign: signs could be counted, and their number would give away again what the words said.
 * A clause of which nothing is left goes with its commas for the same reason.
 */
export function createTextMask(phrases: readonly string[]): TextMask {
  const byFirst = new Map<string, string[][]>()
  for (const phrase of phrases) {
    const words = wordsOf(phrase).map(({ word }) => word)
    if (words.length === 0) continue
    const list = byFirst.get(words[0]!)
    if (list === undefined) byFirst.set(words[0]!, [words])
    else list.push(words)
  }
  for (const list of byFirst.values()) list.sort((a, b) => b.length - a.length)

  function matches(text: string, words: readonly Word[]): boolean[] {
    const masked = new Array<boolean>(words.length).fill(false)
    words.forEach(({ word }, at) => {
      const phrase = byFirst.get(word)?.find((candidate) => candidate.every((part, k) => words[at + k]?.word === part && (k === 0 || !clauseEnd.test(text.slice(words[at + k - 1]!.to, words[at + k]!.from)))))
      for (let k = 0; k < (phrase?.length ?? 0); k++) masked[at + k] = true
    })
    return masked
  }

  function parts(text: string): TextPart[] {
    const words = wordsOf(text)
    const masked = matches(text, words)
    if (!masked.includes(true)) return [{ text, isMasked: false }]
    const spans: TextPart[] = []
    const add = (piece: string, isMasked: boolean) => {
      if (piece === '') return
      const last = spans.at(-1)
      if (last?.isMasked === isMasked) last.text += piece
      else spans.push({ text: piece, isMasked })
    }
    let from = 0
    for (const [first, last] of clausesOf(text, words)) {
      const isGone = masked.slice(first, last + 1).every(Boolean)
      for (let i = first; i <= last; i++) {
        const { from: start, to } = words[i]!
        add(text.slice(from, start), isGone || (i > first && masked[i]! && masked[i - 1]!))
        add(text.slice(start, to), masked[i]!)
        from = to
      }
      // The signs that end a clause of which nothing is left say how many clauses there were.
      const next = words[last + 1]?.from ?? text.length
      if (isGone) {
        add(text.slice(from, next), true)
        from = next
      }
    }
    add(text.slice(from), false)
    return spans
  }

  return {
    parts,
    apply: (text) => {
      const pieces = parts(text)
      if (pieces.every(({ isMasked }) => !isMasked)) return text
      return pieces.map((piece) => (piece.isMasked ? ' ' : piece.text)).join('').replace(/[^\S\n]+/gu, ' ').trim()
    },
  }
}

/** First and last word of each clause. */
function clausesOf(text: string, words: readonly Word[]): [number, number][] {
  const clauses: [number, number][] = []
  let first = 0
  words.forEach((word, index) => {
    const next = words[index + 1]
    if (next !== undefined && !clauseEnd.test(text.slice(word.to, next.from))) return
    clauses.push([first, index])
    first = index + 1
  })
  return clauses
}
