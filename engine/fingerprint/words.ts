import type { MissingnessTest, SlotVerdict } from '../domain/fingerprint.ts'

/** The results of the missingness tests in sentences, the same in the app, on paper and on the command line. */

type Described = Omit<MissingnessTest, 'sentence'>

const testNames = {
  fisher: "Fisher's exact test", 'chi-square': 'chi-square test', permutation: 'permutation test', 'mann-whitney': 'Mann-Whitney test', 'kruskal-wallis': 'Kruskal-Wallis test', spearman: 'Spearman correlation',
} as const

/** "Notes: missing more often with Glaucoma: 40 % (12 of 30 patients) against 12 % (41 of 343); adjusted p = 0.002." */
export function describeTest(title: string, test: Described, isWhole: boolean): string {
  const { factor, groups, adjustedPValue, reason } = test
  const about = factor.kind === 'label' ? `"${factor.name}"` : factor.name.toLowerCase()
  if (test.test === null || adjustedPValue === null) return `${title}: not estimable against ${about} (${reason ?? 'no test'}).`
  const ending = `adjusted p ${formatP(adjustedPValue)} (${testNames[test.test]})`
  if (!test.isNotable) return `${title}: no sign that its absence goes with ${about}; ${listGroups(groups, isWhole)}; ${ending}.`
  if (factor.kind === 'label') {
    const [withLabel, without] = groups as [Described['groups'][number], Described['groups'][number]]
    const more = withLabel.share >= without.share ? 'more' : 'less'
    return `${title}: missing ${more} often with "${factor.name}": ${shareOf(withLabel, isWhole)} with it against ${shareOf(without, isWhole)} without; ${ending}.`
  }
  return `${title}: missing more often in some groups by ${about}: ${listGroups([...groups].sort((a, b) => (factor.kind === 'age' ? 0 : b.share - a.share)), isWhole)}; ${ending}.`
}

const namedGroups = 6

function listGroups(groups: Described['groups'], isWhole: boolean): string {
  const named = groups.slice(0, namedGroups).map((group) => `${group.name}: ${shareOf(group, isWhole)}`).join(', ')
  return groups.length > namedGroups ? `${named} and ${groups.length - namedGroups} more groups` : named
}

function shareOf({ share, patients }: Described['groups'][number], isWhole: boolean): string {
  const percent = `${formatPercent(share)} %`
  return isWhole ? `${percent} (${Math.round(share * patients)} of ${patients})` : `${percent} of the studies of ${patients} patients`
}

function formatPercent(share: number): string {
  const percent = 100 * share
  return percent === 0 || percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1)
}

/** "< 0.001", "= 0.013", "= 0.27". */
function formatP(p: number): string {
  if (p < 0.001) return '< 0.001'
  return p < 0.095 ? `= ${p.toFixed(3)}` : `= ${p.toFixed(2)}`
}

/** What can be said of one slot as a whole. `absentPatients` lack it in at least one study. */
export function describeSlot(slotId: string, title: string, absentPatients: number, patients: number, presentPatients: number, tests: readonly MissingnessTest[]): SlotVerdict {
  if (absentPatients === 0) return { slotId, verdict: 'never-missing', sentence: `${title}: nobody lacks it.` }
  if (presentPatients === 0) return { slotId, verdict: 'always-missing', sentence: `${title}: nobody has it.` }
  const done = tests.filter((test) => test.adjustedPValue !== null)
  if (done.length === 0) return { slotId, verdict: 'not-estimable', sentence: `${title}: ${absentPatients} of ${patients} patients lack it; whether completely at random is not estimable, because the groups are too small.` }
  const notable = done.filter((test) => test.isNotable)
  if (notable.length > 0) {
    const names = notable.map(({ factor }) => (factor.kind === 'label' ? `"${factor.name}"` : factor.name.toLowerCase()))
    return { slotId, verdict: 'depends', sentence: `${title}: not missing completely at random; its absence goes with ${joinNames(names)}.` }
  }
  const smallest = Math.min(...done.map((test) => test.adjustedPValue!))
  return { slotId, verdict: 'no-sign', sentence: `${title}: no sign that its absence depends on what the table says (${done.length} ${done.length === 1 ? 'test' : 'tests'}, smallest adjusted p ${formatP(smallest)}). It may still depend on what no column holds.` }
}

function joinNames(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
