import { expect, it } from 'vitest'
import { defaultPrivacy, privacyRules } from '../../../../engine/domain/privacy.ts'
import { createScrubber, shiftDaysOf, type KnownIdentity } from '../../../../engine/importers/privacy/scrub.ts'
import { clinicalPhrases, leftIn, plantNotes } from './planted.ts'

const secret = 'ab'.repeat(32)
const nobody: KnownIdentity = { patientId: 'none', ids: [], names: [] }
const scrubber = createScrubber(defaultPrivacy, secret)
const scrub = (text: string, known: Partial<KnownIdentity> = {}): string => scrubber.scrub(text, { ...nobody, ...known }).text

it.each([7, 11, 23])('removes at least 98 of 100 planted identifiers, seed %i', (seed) => {
  const notes = plantNotes(seed, 60)
  const total = notes.reduce((sum, { planted }) => sum + planted.length, 0)
  expect(total).toBeGreaterThanOrEqual(200)
  const misses = notes.flatMap(({ id, text, planted }) => leftIn(scrub(text, { patientId: id }), planted).map((entry) => `${entry.kind}: ${entry.text} <- ${text.slice(Math.max(0, text.indexOf(entry.text) - 40), text.indexOf(entry.text) + 40)}`))
  if (misses.length > 0) process.stdout.write(`seed ${seed}: ${misses.length} of ${total} missed\n${misses.join('\n')}\n`)
  expect(1 - misses.length / total).toBeGreaterThanOrEqual(0.98)
})

it('keeps every clinical phrase of the planted notes', () => {
  for (const { id, text } of plantNotes(5, 120)) {
    const clean = scrub(text, { patientId: id })
    for (const phrase of clinicalPhrases) if (text.includes(phrase)) expect(clean).toContain(phrase)
  }
})

it('keeps the interval between the dates of a note', () => {
  for (const { id, text, eventDates } of plantNotes(3, 80)) {
    const [a, b] = [...scrub(text, { patientId: id }).matchAll(/(?:Admitted|again) (?:the )?(\d{4}-\d\d-\d\d)/g)].map((match) => Date.parse(match[1]!)) as [number, number]
    expect(b - a).toBe(Date.parse(eventDates[1]!) - Date.parse(eventDates[0]!))
    expect(a - Date.parse(eventDates[0]!)).toBe(shiftDaysOf(secret, id) * 86_400_000)
  }
})

it.each([
  'Baker cyst', 'Kerley B lines', "Hodgkin's disease", 'non-Hodgkin lymphoma', 'Swan-Ganz catheter', 'Foley', 'Graves disease', 'Down syndrome', 'Bell palsy', 'Marcus Gunn pupil', 'Austin Flint murmur', 'Wolff-Parkinson-White', 'Jackson-Pratt drain',
  'T12', 'L4-L5', 'C5/6', '2/6 systolic murmur', '20/40', '6/12', '3.5 cm', '1.2 x 3.4 x 2.0 cm', 'BP 143/81', '5/5 strength', 'pT2N1M0', 'Gleason 3+4=7', 'CD4 count 350', 'COVID-19', 'SARS-CoV-2', 'pO2 63.4 mmHg', 'WBC 12,400',
  'Platelets 250000/ul', 'amoxicillin 500 mg', '1-2 tablets', 'ICD-9 V10.47', 'in 8-12 weeks', '2015', 'day 3', 'HR 88', 'G2P1', 'FEV1 65%', '60 pack years', 'MR angiography', 'MS since 2012', 'Temp 101F with chills', 'aged 72', '45-year-old man', 'Iris atrophy', 'Grade 3',
  'mark the site', 'may 5 more', 'AMY 93', 'Chest Pain', 'Right Lower Lobe', 'No Evidence of Disease', 'Read by Radiology', 'Emergency Department', 'the Hospital', 'Eye Clinic',
])('leaves "%s" alone', (text) => {
  expect(scrub(`Seen: ${text}.`)).toBe(`Seen: ${text}.`)
  expect(scrub(text)).toBe(text)
})

it.each(privacyRules.filter(({ rule }) => !['dates', 'own-list'].includes(rule)))('does what the list says of $rule', ({ example, becomes }) => {
  expect(scrub(example, { patientId: 'PX-20771' })).toBe(becomes)
})

it.each([
  ['The patient, Desmond Quill, was seen', 'The patient, [NAME], was seen'], ['Home address: 62 Magnolia Avenue. Examined twice', 'Home address: [ADDRESS]. Examined twice'], ['Address: 4 St. Mary Rd., Larchmont. Control film', 'Address: [ADDRESS]. Control film'],
  ['seen by dr smith', 'seen by dr [NAME]'], ['MR JOHN SMITH', 'MR [NAME]'], ['Discussed with Dr. van der Berg today', 'Discussed with Dr. [NAME] today'], ['his wife Xanthe came', 'his wife [NAME] came'],
  ['Dr Baker called', 'Dr [NAME] called'], ['J. Hernandez reviewed', '[NAME] reviewed'], ['born 3 May 1950, well', 'born [DATE OF BIRTH], well'], ['ninety-two year old', '90+ year old'], ['pager 4471', 'pager [PHONE]'],
])('cleans "%s"', (text, expected) => {
  expect(scrub(text)).toBe(expected)
})

it('reads an ambiguous date by the other dates of its text, else by the chosen order', () => {
  const gap = (text: string, order: 'month-first' | 'day-first'): number => {
    const [a, b] = [...createScrubber({ ...defaultPrivacy, dateOrder: order }, secret).scrub(text, nobody).text.matchAll(/\d{4}-\d\d-\d\d/g)].map(([date]) => Date.parse(date)) as [number, number]
    return (b - a) / 86_400_000
  }
  expect(gap('on 28/02/2019 and 01/03/2019', 'month-first')).toBe(1)
  expect(gap('on 01/02/2019 and 01/03/2019', 'month-first')).toBe(1)
  expect(gap('on 01/02/2019 and 01/03/2019', 'day-first')).toBe(28)
  expect(scrub('on 31/02/2020')).toBe('on [DATE]')
})

it('removes names that are known for the patient, but no eponym of the same name', () => {
  const names = ['BAKER^ZENOBIA']
  expect(scrub('Zenobia has a Baker cyst. Mrs Baker is well. ZENOBIA agrees.', { names })).toBe('[NAME] has a Baker cyst. Mrs [NAME] is well. [NAME] agrees.')
})

it('finds the own ID however it is written, and a short one only where it is called one', () => {
  expect(scrub('copy of 0048151 and 48151', { patientId: '0048151' })).toBe('copy of [ID] and [ID]')
  expect(scrub('PX 20771 = px-20771', { patientId: 'PX-20771' })).toBe('[ID] = [ID]')
  expect(scrub('patient 12 has 12 nodules of 12 mm', { patientId: '12' })).toBe('patient [ID] has 12 nodules of 12 mm')
})

it('removes words and shapes of the user, and leaves out rules that are off', () => {
  const own = createScrubber({ ...defaultPrivacy, off: ['names'], words: ['Zephyrine', 'C++ (old)'], shapes: ['K@-###'] }, secret)
  expect(own.scrub('Dr Miller, zephyrine, KX-123, KX-1234, C++ (old)', nobody).text).toBe('Dr Miller, [REMOVED], [REMOVED], KX-1234, [REMOVED]')
})

it('gives the same text again, and another shift for another patient or secret', () => {
  expect(scrub('on 14 March 2020')).toBe(scrub('on 14 March 2020'))
  expect(new Set(Array.from({ length: 50 }, (_, i) => shiftDaysOf(secret, `p${i}`))).size).toBeGreaterThan(40)
  expect(shiftDaysOf('cd'.repeat(32), 'p1')).not.toBe(shiftDaysOf(secret, 'p1'))
})

it('does not take long over a hostile text', () => {
  const start = performance.now()
  for (const piece of ['A. ', 'Van Der ', '1-', 'a@', '9 ', 'Xy ', '12 Main ', 'de la ', '1/1/']) scrub(piece.repeat(4000))
  expect(performance.now() - start).toBeLessThan(20_000)
})
