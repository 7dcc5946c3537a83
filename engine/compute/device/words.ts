/** The first line of an error or a program's output that says something, short enough for one sentence and without a final stop. */
export function errorLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const line = text.split('\n').map((part) => part.trim()).find((part) => part !== '') ?? 'unknown reason'
  return line.replace(/[.\s]+$/, '').slice(0, 200)
}
