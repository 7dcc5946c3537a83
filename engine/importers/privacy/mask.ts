/** A text with its shape only: first letters of words and signs stay, all else becomes a dot. "Jane Miller, 0481" -> "J••• M•••••, ••••". */
export function maskText(text: string): string {
  return text.slice(0, 80).replace(/(\p{L})(\p{L}*)|(\p{N})/gu, (_all, first: string | undefined, rest: string | undefined) => (first === undefined ? '•' : first + '•'.repeat([...(rest ?? '')].length)))
}
