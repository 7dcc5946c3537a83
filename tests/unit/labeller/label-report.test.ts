import { describe, expect, it } from 'vitest'
import { labelReport } from '../../../engine/labeller/label-report.ts'
import { compileRules } from '../../../engine/labeller/rules.ts'
import { sentences } from './sentences.ts'

const rules = compileRules({ findings: [], ownFindings: [], edits: [] })
const outcomeOf = (text: string, finding: string) => labelReport([{ slotId: 'report', text }], rules).find((entry) => entry.finding === finding)

describe.each(Object.entries(sentences))('%s', (_, table) => {
  it.each(table)('%j: %s is %s', (text, finding, outcome) => {
    expect(outcomeOf(text, finding)?.outcome).toBe(outcome)
  })
})

it('is tried on at least 150 sentences', () => {
  expect(Object.values(sentences).flat().length).toBeGreaterThanOrEqual(150)
})
