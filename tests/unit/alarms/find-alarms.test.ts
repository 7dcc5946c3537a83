import { describe, expect, it } from 'vitest'
import { createRng } from '../../../engine/compute/rng.ts'
import { lookAtText } from '../../../engine/alarms/text/text-leak.ts'
import { alarmSchema, type AlarmKind } from '../../../engine/domain/alarms.ts'
import { createTextMask } from '../../../engine/domain/curation.ts'
import { makeFacts, makeImage, search, setLabel } from './cohort.ts'

const kindsOf = (facts: ReturnType<typeof makeFacts>): AlarmKind[] => search(facts).alarms.map(({ kind }) => kind)

describe('alarms of a cohort', () => {
  it('are quiet on random labels: at most one in 20 cohorts, over all kinds together', () => {
    const alarms = Array.from({ length: 20 }, (_, seed) => search(makeFacts(seed + 1, 220)).alarms).flat()
    expect(alarms.length).toBeLessThanOrEqual(1)
  }, 120_000)

  it('tell a label by a rule of the text, name the rule, and are quiet once its words are masked', () => {
    const facts = makeFacts(3)
    const texts = facts.texts.get('notes')!
    const rng = createRng(5)
    const isPositive = facts.studyIds.map(() => (rng.uniform() < 0.3 ? 1 : 0))
    texts.forEach((text, i) => (texts[i] = text === null ? null : `${text.replaceAll('lens', 'eye')}${isPositive[i] ? rng.pick([' clouded lens.', ' opaque lens.']) : ''}`))
    setLabel(facts, 0, (i) => isPositive[i] === 1)
    const [alarm, ...others] = search(facts).alarms
    expect(others).toEqual([])
    expect(alarmSchema.parse(alarm)).toMatchObject({ alarmId: 'text-leak:notes', severity: 'serious', title: 'The words of Notes give "Cataract" away' })
    expect(alarm!.text).toContain('Cataract is present where the text contains "lens"')
    expect(alarm!.evidence.map(({ title }) => title)).toEqual(['Rules', 'Words', 'Probe that reads this text alone'])
    const draft = alarm!.remedies[0]!.draft
    expect(draft).toMatchObject({ kind: 'mask-words', slotId: 'notes' })
    expect(draft.kind === 'mask-words' && draft.words).toContain('lens')
    const mask = createTextMask(draft.kind === 'mask-words' ? draft.words : [])
    texts.forEach((text, i) => (texts[i] = text === null ? null : mask.apply(text)))
    expect(kindsOf(facts)).toEqual([])
  })

  it('find a label that means "anything else", which no list of words spells out', () => {
    const facts = makeFacts(4)
    const texts = facts.texts.get('notes')!
    const rare = Array.from({ length: 120 }, (_, i) => `odd${String.fromCharCode(97 + (i % 26))}${i}`)
    const rng = createRng(9)
    facts.studyIds.forEach((_, i) => {
      const isOther = rng.uniform() < 0.3
      texts[i] = isOther ? `normal fundus, ${rare[i % 120]!}` : rng.pick(['normal fundus', 'lens dust', 'cataract', 'normal fundus, cataract'])
      facts.labels[i * 3] = isOther ? 1 : 0
    })
    const alarm = search(facts).alarms.find(({ kind }) => kind === 'text-leak')!
    expect(alarm.text).toMatch(/present where the text names anything other than "(normal|fundus|cataract)"/)
  })

  it('count persons, not their studies, as evidence that a word goes with a label', () => {
    const [personCount, studiesEach] = [60, 8]
    const persons = Int32Array.from({ length: personCount * studiesEach }, (_, i) => Math.floor(i / studiesEach))
    const rng = createRng(11)
    const notes = Array.from({ length: personCount }, (_, person) => `${rng.pick(['seen', 'came'])} ${rng.pick(['left', 'right'])} ${rng.pick(['mild', 'severe'])}${person < 8 ? ' cataract' : ''}.`)
    // The word stands in the notes of eight persons, of whom seven have the label: of 30 among 60 that is chance.
    const hasLabel = (person: number) => (person < 8 ? person < 7 : person % 2 === 0)
    const words = (each: number) => {
      const rows = Array.from(persons.keys()).filter((i) => i % studiesEach < each)
      return lookAtText({
        slotId: 'notes', texts: rows.map((i) => notes[persons[i]!]!), patientKeys: rows.map((i) => `P${persons[i]!}`), persons: rows.map((i) => persons[i]!),
        labelNames: ['Cataract'], labels: [Int8Array.from(rows, (i) => (hasLabel(persons[i]!) ? 1 : 0))],
      }, 0.01).words
    }
    expect([words(1), words(studiesEach)]).toEqual([[], []])
  })

  it('tell labels by presence, by files and by borders', () => {
    const presence = makeFacts(5)
    setLabel(presence, 1, (i) => presence.presentBits[i] === 2 || i % 8 === 0)
    expect(kindsOf(presence)).toEqual(['presence-leak'])
    const files = makeFacts(6)
    setLabel(files, 1, (i) => (files.images.get('view')![i]?.widthPx === 1024) !== (i % 6 === 0))
    expect(kindsOf(files)).toEqual(['metadata-leak'])
    const borders = makeFacts(7)
    borders.images.get('view')!.forEach((image, i) => {
      if (image?.measures && borders.labels[i * 3 + 2] === 1) image.measures.border[0]! += 25
    })
    const [alarm] = search(borders).alarms
    expect(alarm).toMatchObject({ kind: 'border-leak', title: 'The border of View predicts "Edema"' })
    expect(Number(/AUROC of (0\.\d\d)/.exec(alarm!.text)![1])).toBeGreaterThan(0.8)
  })

  it('find one image under two patients, also when it was saved again, and offer to count them as one', () => {
    const facts = makeFacts(8)
    const images = facts.images.get('view')!
    const own = makeImage(createRng(1))
    images[20] = own
    images[33] = { ...own }
    images[40] = { ...own, sha256: 'e'.repeat(64), measures: { ...own.measures!, thumbnail: own.measures!.thumbnail.map((value) => Math.min(255, value + 2)) } }
    const { alarms } = search(facts)
    expect(alarms.map(({ kind }) => kind)).toEqual(['shared-images', 'near-duplicates'])
    expect(alarms[0]!.remedies[0]!.draft).toEqual({ kind: 'merge-patients', groups: [['P-20', 'P-33']] })
    expect(alarms[0]!.remedies[1]!.draft).toEqual({ kind: 'exclude-items', items: [{ studyId: 21, slotId: 'view' }, { studyId: 34, slotId: 'view' }] })
    facts.persons[33] = facts.persons[20]!
    facts.persons[40] = facts.persons[20]!
    expect(kindsOf(facts).filter((kind) => kind === 'shared-images' || kind === 'near-duplicates')).toEqual([])
  })

  it('find people at two sites, of two sexes, with impossible, typed-in or jumping ages, and labels with few cases', () => {
    const facts = makeFacts(9)
    facts.sites[11] = 'S-3'
    facts.sexes[21] = 'other'
    facts.ageYears[30] = 150
    for (const i of [42, 44, 46, 47, 48]) facts.ageYears[i] = 1
    facts.ageYears[51] = facts.ageYears[50]! > 60 ? 10 : 100.5
    setLabel(facts, 2, (i) => i < 4)
    const { alarms } = search(facts)
    expect(new Set(alarms.map(({ kind }) => kind))).toEqual(new Set(['patient-sites', 'sex-changes', 'impossible-ages', 'placeholder-ages', 'age-jumps', 'few-cases']))
    expect(alarms[0]!.kind).toBe('impossible-ages')
    expect(alarms.find(({ kind }) => kind === 'few-cases')!.text).toContain('"Edema" has 4 of 400 positive studies')
    expect(alarms.find(({ kind }) => kind === 'placeholder-ages')!.title).toBe('5 patients are exactly 1 while almost nobody is near it')
  })
})
