import { expect, it } from 'vitest'
import { createIssueCollector } from '../../../engine/importers/issues.ts'

it('lists what puts privacy or results in doubt before housekeeping, however often that occurs', () => {
  const issues = createIssueCollector()
  issues.add('IMPORT_IMAGE_UNUSED', 'note', null, '', 37)
  issues.add('IMPORT_LABEL_WORDS', 'note', null, '', 2)
  issues.add('IMPORT_DATE_IMPOSSIBLE', 'note', 10, '', 5)
  issues.add('IMAGE_NOT_FOUND', 'marks-missing', 3, '')
  expect(issues.list().map(({ code }) => code)).toEqual(['IMAGE_NOT_FOUND', 'IMPORT_DATE_IMPOSSIBLE', 'IMPORT_LABEL_WORDS', 'IMPORT_IMAGE_UNUSED'])
})
