import fc from 'fast-check'
import { expect, it } from 'vitest'
import { labelReport } from '../../../engine/labeller/label-report.ts'
import { compileRules, shippedRules } from '../../../engine/labeller/rules.ts'

const rules = compileRules({ findings: [], ownFindings: [], edits: [] })
const label = (text: string) => labelReport([{ slotId: 'report', text }], rules)
const outcomeOf = (text: string, finding: string) => label(text).find((entry) => entry.finding === finding)?.outcome
/** Every shipped phrase of a finding, written out: the first of its alternatives, gaps closed. */
const phrases = shippedRules().findings.flatMap(({ id, terms }) => terms.filter((term) => !term.includes('*')).map((term) => ({ id, phrase: term.replaceAll('~ ', '').split(' ').map((word) => word.split('|')[0]!).join(' ') })))

it.each(phrases)('$id: "$phrase" is there, denied, in doubt, asked for', ({ id, phrase }) => {
  // Words that deny by themselves ("lung density normal") or that another list takes are not plain mentions.
  if (outcomeOf(`There is ${phrase} today.`, id) !== 'positive') return
  expect(outcomeOf(`No ${phrase} today.`, id)).toBe('negative')
  expect(outcomeOf(`Without evidence of ${phrase}.`, id)).toBe('negative')
  expect(outcomeOf(`NO ${phrase.toUpperCase()}.`, id)).toBe('negative')
  expect(outcomeOf(`Possible ${phrase}.`, id)).toBe('uncertain')
  expect(outcomeOf(`Cannot exclude ${phrase}.`, id)).toBe('uncertain')
  expect(outcomeOf(`Indication: ${phrase}.\nFindings: Normal.`, id)).not.toBe('positive')
  expect(outcomeOf(`No change in ${phrase} today.`, id)).toBe('positive')
})

it('finds nearly every shipped phrase by itself', () => {
  const missed = phrases.filter(({ id, phrase }) => outcomeOf(`There is ${phrase} today.`, id) !== 'positive')
  expect(missed.map(({ id, phrase }) => `${id}: ${phrase}`)).toEqual([])
})

const pieces = fc.constantFrom('no', 'not', 'without', 'effusion', 'heart', 'enlarged', 'possible', 'or', 'and', ',', '.', ';', ':', '\n', 'XXXX', '[NAME]', 'FINDINGS:', 'Impression:', 'Indication:', 'normal', 'is', 'seen', 'excluded', 'but', '1.', '12', '(', ')', 'pneumothoraces', 'œdème', '\u0000', '😀')

it('takes any text: marks lie inside their sentences, the last finding says what the others leave', () => {
  fc.assert(fc.property(fc.oneof(fc.array(pieces, { maxLength: 60 }).map((words) => words.join(' ')), fc.string({ maxLength: 300, unit: 'grapheme' })), (text) => {
    const evidence = label(text)
    for (const { outcome, mentions } of evidence) {
      for (const { sentence, start, end, because } of mentions) {
        expect(start >= 0 && end > start && end <= sentence.length).toBe(true)
        if (because !== null) expect(because.start >= 0 && because.end <= sentence.length).toBe(true)
      }
      if (outcome === 'positive' && mentions.length > 0) expect(mentions[0]!.outcome).toBe('positive')
    }
    const isAnything = evidence.some(({ finding, outcome }) => outcome === 'positive' && finding !== 'no-finding' && finding !== 'devices')
    if (isAnything) expect(evidence.at(-1)!.outcome).toBe('negative')
  }), { numRuns: 500 })
})

it('reads a long report in reasonable time', () => {
  const text = 'No focal consolidation, pleural effusion, or pneumothorax; the heart is mildly enlarged and there may be edema. '.repeat(2000)
  const startedMs = performance.now()
  label(text)
  expect(performance.now() - startedMs).toBeLessThan(5000)
})

it('is not hung by a sentence without an end', () => {
  const text = `heart ${'is '.repeat(30_000)}`
  const startedMs = performance.now()
  label(text)
  expect(performance.now() - startedMs).toBeLessThan(5000)
})
