import { expect, it } from 'vitest'
import { AppError, toErrorOutcome, withoutPaths } from '../../../engine/domain/errors.ts'

it.each([
  ["ENOENT: no such file or directory, open '/ward/MILLER_00481516/eye 1.png'", "ENOENT: no such file or directory, open '…'"],
  ['Input file is missing: /ward/MILLER_00481516.jpg', 'Input file is missing: …'],
  ['cannot read C:\\Ward 7\\MILLER.dcm', 'cannot read …'],
  ['cannot read "C:\\Ward 7\\MILLER.dcm" twice', 'cannot read "…" twice'],
  ['Error: x\n    at run (/app/dist/engine/worker.js:12:3)\n    at file:///app/dist/engine/cli.js:4:1', 'Error: x\n    at run (/app/dist/engine/worker.js:12:3)\n    at file:///app/dist/engine/cli.js:4:1'],
  ['3 of 4 rows, 12/40, and/or nothing', '3 of 4 rows, 12/40, and/or nothing'],
])('%s', (text, expected) => {
  expect(withoutPaths(text)).toBe(expected)
})

it('cuts out what a parser cites of the text it was given', () => {
  const cited = (action: () => unknown): string => {
    try {
      action()
    } catch (error) {
      return withoutPaths(error instanceof Error ? `${error.stack}` : '')
    }
    return ''
  }
  for (const text of ['Miller, Jane', '{"name": Miller}', '{"a": "b\nMiller"} Miller']) expect(cited(() => JSON.parse(text))).not.toMatch(/Miller/)
  expect(cited(() => new RegExp('(Miller/Jane', 'u'))).toMatch(/Invalid regular expression: … Unterminated group/)
})

it('cuts paths out of unknown errors, and leaves messages that were written with care', () => {
  expect(toErrorOutcome(new Error("EACCES: permission denied, open '/ward/MILLER.csv'"), 'ENGINE_CRASHED').message).toBe("EACCES: permission denied, open '…'")
  expect(toErrorOutcome(new AppError('IMPORT_TABLE_MISSING', 'The table is gone.'), 'ENGINE_CRASHED').message).toBe('The table is gone.')
})
