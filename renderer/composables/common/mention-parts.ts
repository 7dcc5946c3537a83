import type { Mention } from '../../../engine/domain/report-labels.ts'

interface MentionPart { text: string; mark: 'finding' | 'cue' | null }

/** A sentence in pieces: the words of the finding and those that decided. Where the two overlap the finding goes before. */
export function partsOfMention({ sentence, start, end, because }: Pick<Mention, 'sentence' | 'start' | 'end' | 'because'>): MentionPart[] {
  const marks = Array.from<MentionPart['mark']>({ length: sentence.length }).fill(null)
  if (because !== null) marks.fill('cue', because.start, because.end)
  marks.fill('finding', start, end)
  const parts: MentionPart[] = []
  for (const [index, mark] of marks.entries()) {
    const last = parts.at(-1)
    if (last && last.mark === mark) last.text += sentence[index]!
    else parts.push({ text: sentence[index]!, mark })
  }
  return parts
}

/** The phrase that decided, as it stands in the sentence; empty where the section did. */
export function cueOfMention({ sentence, because }: Pick<Mention, 'sentence' | 'because'>): string {
  return because === null ? '' : sentence.slice(because.start, because.end)
}
