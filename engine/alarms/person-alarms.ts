import type { Alarm } from '../domain/alarms.ts'
import { counted } from '../domain/curation.ts'
import { findNearDuplicates } from '../fingerprint/near-duplicates.ts'
import type { CohortFacts } from './facts/cohort-facts.ts'

/** Rows of an evidence table; the rest is counted below it. */
const shownRows = 100

/** One image in two places of the cohort. */
interface Place { row: number; slotId: string }

/** The very same file, or nearly the same picture, with two different persons. */
export function sharedImageAlarms(facts: CohortFacts): Alarm[] {
  const places = facts.slots.filter((slot) => slot.modality === 'image').flatMap(({ slotId }) => (facts.images.get(slotId) ?? []).flatMap((image, row) => (image === null ? [] : [{ row, slotId, image }])))
  const byContent = Map.groupBy(places, ({ image }) => image.sha256)
  const same = [...byContent.values()].filter((members) => isOfTwo(facts, members))
  const contents = [...byContent.values()].flatMap((members) => (members[0]!.image.measures === null ? [] : [{ members, image: members[0]!.image.measures, slotId: members[0]!.slotId }]))
  const { pairs } = findNearDuplicates(contents.map(({ image, slotId }) => ({ slotId, perceptualHash: image.perceptualHash, sdLuminance: image.sdLuminance, thumbnail: image.thumbnail })))
  const near = pairs.map(({ first, second }) => [...contents[first]!.members, ...contents[second]!.members]).filter((members) => isOfTwo(facts, members))
  return [
    ...(same.length === 0 ? [] : [sharedAlarm(facts, 'shared-images', same)]),
    ...(near.length === 0 ? [] : [sharedAlarm(facts, 'near-duplicates', near)]),
  ]
}

function isOfTwo({ persons }: CohortFacts, members: readonly Place[]): boolean {
  return members.some(({ row }) => persons[row] !== persons[members[0]!.row])
}

function sharedAlarm(facts: CohortFacts, kind: 'shared-images' | 'near-duplicates', groups: readonly (readonly Place[])[]): Alarm {
  const keys = groups.map((members) => [...new Set(members.map(({ row }) => facts.patientKeys[row]!))])
  const persons = new Set(groups.flatMap((members) => members.map(({ row }) => facts.persons[row]!))).size
  const items = [...new Map(groups.flat().map(({ row, slotId }) => [`${row} ${slotId}`, { studyId: facts.studyIds[row]!, slotId }])).values()]
  const isSame = kind === 'shared-images'
  return {
    alarmId: `${kind}:all`, kind, severity: isSame ? 'serious' : 'warning',
    title: `${counted(groups.length, isSame ? 'image is' : 'pair of pictures is', isSame ? 'images are' : 'pairs of pictures are')} ${isSame ? 'filed under more than one patient' : 'almost the same in different patients'}`,
    text: `${counted(groups.length, isSame ? 'file' : 'pair')} ${isSame ? 'with identical content' : 'that looks like one picture saved twice'}, in ${counted(persons, 'patient')}. Either these patients are one person under two numbers, or an image was filed wrongly. On two sides of a split the model would be tested on a picture that it has learnt.`,
    action: 'Count the patients as one person if they are, or exclude the images. Merging is the safe choice where you cannot tell: it only keeps them on the same side.',
    evidence: [{
      title: isSame ? 'Shared images' : 'Pairs', columns: ['Patients', 'Studies', 'Where'],
      rows: groups.slice(0, shownRows).map((members, g) => [keys[g]!.join(', '), String(new Set(members.map(({ row }) => row)).size), [...new Set(members.map(({ slotId }) => facts.slots.find((slot) => slot.slotId === slotId)?.title ?? slotId))].join(', ')]),
      note: groups.length > shownRows ? `${groups.length - shownRows} more.` : null,
    }],
    remedies: [
      { title: 'Count them as one person', draft: { kind: 'merge-patients', groups: keys } },
      { title: `Exclude ${counted(items.length, 'image')}`, draft: { kind: 'exclude-items', items } },
    ],
  }
}

/** Persons whose studies come from several sites, or whose sex or age does not fit together. */
export function personAlarms(facts: CohortFacts): Alarm[] {
  const byPerson = [...Map.groupBy(facts.studyIds.keys(), (row) => facts.persons[row]!).values()].filter((rows) => rows.length > 1)
  const valuesOf = <T>(rows: readonly number[], read: (row: number) => T | null): T[] => [...new Set(rows.flatMap((row) => read(row) ?? []))] as T[]
  const moved = byPerson.filter((rows) => valuesOf(rows, (row) => facts.sites[row]!).length > 1)
  const changed = byPerson.filter((rows) => valuesOf(rows, (row) => facts.sexes[row]!).length > 1)
  const jumped = byPerson.filter((rows) => {
    const ages = rows.map((row) => facts.ageYears[row]!).filter((age) => !Number.isNaN(age))
    return ages.length > 1 && Math.max(...ages) - Math.min(...ages) > maxAgeSpan
  })
  const table = (groups: readonly number[][], column: string, read: (row: number) => string) => [{
    title: 'Patients', columns: ['Patient', 'Studies', column],
    rows: groups.slice(0, shownRows).map((rows) => [facts.patientKeys[rows[0]!]!, String(rows.length), [...new Set(rows.map(read))].join(', ')]),
    note: groups.length > shownRows ? `${groups.length - shownRows} more.` : null,
  }]
  const exclude = (groups: readonly number[][]) => {
    const studyIds = groups.flat().map((row) => facts.studyIds[row]!)
    return [{ title: `Exclude ${counted(studyIds.length, 'study', 'studies')}`, draft: { kind: 'exclude-studies', studyIds } as const }]
  }
  return [
    ...(moved.length === 0 ? [] : [{
      alarmId: 'patient-sites:all', kind: 'patient-sites', severity: 'warning', title: `${counted(moved.length, 'patient was', 'patients were')} seen at more than one site`,
      text: `${counted(moved.length, 'patient')} of ${new Set(facts.persons).size} ${moved.length === 1 ? 'has' : 'have'} studies from several sites. A comparison between sites, or a test on an outside site, would have the same people on both sides.`,
      action: 'Splits by patient stay right. Before comparing sites, exclude these studies, or say so in the report.',
      evidence: table(moved, 'Sites', (row) => facts.sites[row] ?? 'unknown'), remedies: exclude(moved),
    } as const]),
    ...(changed.length === 0 ? [] : [{
      alarmId: 'sex-changes:all', kind: 'sex-changes', severity: 'warning', title: `The recorded sex of ${counted(changed.length, 'patient')} differs between studies`,
      text: `${counted(changed.length, 'patient has', 'patients have')} studies with different recorded sex. Most often two people share a number, or a row was mistyped.`,
      action: 'Check these rows in the source. If two people share a number, their studies should not be used as one person\u2019s.',
      evidence: table(changed, 'Sex', (row) => facts.sexes[row] ?? 'unknown'), remedies: exclude(changed),
    } as const]),
    ...(jumped.length === 0 ? [] : [{
      alarmId: 'age-jumps:all', kind: 'age-jumps', severity: 'warning', title: `The age of ${counted(jumped.length, 'patient')} jumps by more than ${maxAgeSpan} years between studies`,
      text: `Between the youngest and the oldest study of ${counted(jumped.length, 'patient')} lie more than ${maxAgeSpan} years, longer than most archives reach back.`,
      action: 'Check these rows in the source: a wrong birth date, or two people under one number.',
      evidence: table(jumped, 'Ages', (row) => (Number.isNaN(facts.ageYears[row]) ? 'unknown' : String(facts.ageYears[row]))), remedies: exclude(jumped),
    } as const]),
  ]
}

/** Years between two studies of one person that are hard to believe. */
const maxAgeSpan = 40
