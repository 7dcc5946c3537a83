import { privacyOptionsSchema } from '../../../engine/domain/privacy.ts'

/** The lines of a list field that can be used, each once; a single letter, which would damage every text, is left out. */
export function usableLines(field: 'words' | 'shapes', text: string): string[] {
  const lines = [...new Set(text.split('\n').map((line) => line.trim()))]
  return lines.filter((line) => privacyOptionsSchema.safeParse({ [field]: [line] }).success)
}
