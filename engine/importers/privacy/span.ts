import type { PrivacyRule } from '../../domain/privacy.ts'

/** A stretch of a text that one rule wants to replace. */
export interface Span { start: number; end: number; rule: PrivacyRule; replacement: string }

/** Spans of a pattern; `group` names the group to replace (default the whole match). The pattern needs the flags g and d. */
export function spansOf(text: string, pattern: RegExp, rule: PrivacyRule, replacement: string, accept?: (start: number, end: number) => boolean, group = 'hit'): Span[] {
  const spans: Span[] = []
  // Not `matchAll`, which makes a copy of the pattern each time.
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === '') pattern.lastIndex++
    const [start, end] = match.indices?.groups?.[group] ?? [match.index, match.index + match[0].length]
    if (end > start && (!accept || accept(start, end))) spans.push({ start, end, rule, replacement })
  }
  return spans
}

/** Replaces spans; where they overlap, the earlier one in the list wins and the other keeps what lies on either side of it, so that no half of an identifier stays. */
export function applySpans(text: string, spans: readonly Span[]): { text: string; applied: Span[] } {
  const applied: Span[] = []
  for (const span of spans) {
    let pieces: Span[] = [span]
    for (const held of applied) {
      if (span.start >= held.end || span.end <= held.start) continue
      pieces = pieces.flatMap((piece) => (piece.start >= held.end || piece.end <= held.start
        ? [piece]
        : [{ ...piece, end: held.start }, { ...piece, start: held.end }].filter(({ start, end }) => start < end)))
    }
    // What is left of an overlapped span must still be worth hiding.
    applied.push(...pieces.filter(({ start, end }) => /[\p{L}\p{N}]/u.test(text.slice(start, end))))
  }
  applied.sort((a, b) => a.start - b.start)
  // Pieces of one identifier that lie side by side are one hit.
  for (let i = applied.length - 1; i > 0; i--) {
    const [before, piece] = [applied[i - 1]!, applied[i]!]
    if (before.end === piece.start && before.rule === piece.rule && before.replacement === piece.replacement) applied.splice(i - 1, 2, { ...before, end: piece.end })
  }
  let result = ''
  let position = 0
  for (const { start, end, replacement } of applied) {
    result += text.slice(position, start) + replacement
    position = end
  }
  return { text: result + text.slice(position), applied }
}
