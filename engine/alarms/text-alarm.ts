import { sampleRows } from '../compute/sample-rows.ts'
import type { Alarm, AlarmEvidence } from '../domain/alarms.ts'
import { counted } from '../domain/curation.ts'
import type { Slot } from '../domain/slots.ts'
import { labelColumn, type CohortFacts } from './facts/cohort-facts.ts'
import { ruleInWords } from './text/find-rule.ts'
import { isTelling, lookAtText, wordsToMask, type TextLeak, type TextsWithLabels } from './text/text-leak.ts'
import { decimal, intervalInWords, listed, pInWords, share } from './words.ts'

/** Rules and probes over more studies than this would take minutes and say the same. */
const maxStudies = 6000
/** Masking more words than this leaves nothing of a text worth reading. */
const maxMaskedWords = 1000
const namedLabels = 3

/**
 * Alarm of one text slot: its words, short rules of them, or a bag of them give labels away.
 * @returns null when the text is quiet; `note` says when only a part of the studies was looked at
 */
export function textAlarm(facts: CohortFacts, slot: Slot, level: number): { alarm: Alarm | null; note: string | null } {
  const texts = facts.texts.get(slot.slotId)!
  const used = texts.flatMap((text, i) => (text === null ? [] : [i]))
  const rows = sampleRows(used.length, maxStudies).map((k) => used[k]!)
  const input: TextsWithLabels = {
    slotId: slot.slotId, texts: rows.map((i) => texts[i]!), patientKeys: rows.map((i) => facts.patientKeys[i]!), persons: rows.map((i) => facts.persons[i]!), labelNames: facts.labelNames,
    labels: facts.labelNames.map((_, label) => {
      const column = labelColumn(facts, label)
      return Int8Array.from(rows, (i) => column[i]!)
    }),
  }
  const note = rows.length < used.length ? `${slot.title}: rules and probes looked at ${rows.length} of the ${used.length} studies with a text, spread over all of them.` : null
  const leak = lookAtText(input, level)
  return { alarm: isTelling(leak) ? describe(facts, slot, input, leak, level) : null, note }
}

function describe({ labelNames }: CohortFacts, slot: Slot, input: TextsWithLabels, leak: TextLeak, level: number): Alarm {
  const telling = leak.probes.filter((probe) => probe.isTelling)
  const labels = new Set([...leak.rules.map(({ label }) => labelNames[label]!), ...telling.map(({ label }) => labelNames[label]!), ...leak.words.map(({ labelName }) => labelName)])
  const best = [...leak.rules].sort((a, b) => b.rule.heldOutBalance - a.rule.heldOutBalance)
  const sentences = [
    best.length === 0 ? null : `A short rule over its words reproduces ${listed(best.map(({ label }) => labelNames[label]!), namedLabels)}: ${best.slice(0, namedLabels)
      .map(({ label, rule }) => `${ruleInWords(rule, labelNames[label]!, 6)} (right in ${share(rule.truePositives + rule.trueNegatives, rule.positives + rule.negatives)})`).join('; ')}.`,
    leak.words.length === 0 ? null : `${counted(leak.words.length, 'word gives', 'words give')} a label away, such as ${leak.words.slice(0, namedLabels)
      .map(({ word, labelName, studiesWithWord, studiesWithWordAndLabel }) => `"${word}" (${studiesWithWordAndLabel} of ${studiesWithWord} studies with ${labelName})`).join(', ')}.`,
    telling.length === 0 ? null : `A simple probe that reads nothing but this text, trained on other patients, ranks ${listed(telling.map(({ label }) => labelNames[label]!), namedLabels)} with an AUROC of ${listed(telling
      .slice(0, namedLabels).map(({ result }) => decimal(result.auroc)), namedLabels)} (0.50 would be chance).`,
  ].filter((sentence) => sentence !== null)
  const { words, isEnough } = wordsToMask(input, leak, level)
  const canMask = words.length > 0 && words.length <= maxMaskedWords
  // A note may describe a disease without naming it; then only the bag of words tells, and whether that is a leak is for the reader to say.
  const isNamed = leak.rules.length > 0 || leak.words.length > 0
  const names = labels.size === 1 ? `"${[...labels][0]!}"` : `${labels.size} of ${labelNames.length} labels`
  const mask = canMask ? [{ title: `Mask ${counted(words.length, 'word')}`, draft: { kind: 'mask-words', slotId: slot.slotId, words: words.sort() } as const }] : []
  const drop = { title: `Leave ${slot.title} out`, draft: { kind: 'drop-slot', slotId: slot.slotId } } as const
  return {
    alarmId: `text-leak:${slot.slotId}`, kind: 'text-leak', severity: leak.rules.length > 0 || (isNamed && telling.length > 0) ? 'serious' : 'warning',
    title: isNamed ? `The words of ${slot.title} give ${names} away` : `The words of ${slot.title} alone predict ${names}`,
    text: sentences.join(' '),
    action: `${isNamed ? 'A model that reads this text learns the words, not the disease. Mask the telling words, or leave the text out.' : 'No single word or short rule does so by itself. Find out when these texts are written: a note from before the diagnosis may stay, one that was written with the diagnosis in mind should be left out or masked.'}${isEnough || !canMask ? '' : ' Masking them is not enough here: what remains still tells, so leaving the text out is safer.'}`,
    evidence: [ruleEvidence(leak, labelNames), wordEvidence(leak), probeEvidence(leak, labelNames, level)].filter((table) => table.rows.length > 0),
    remedies: isNamed ? [...mask, drop] : [drop, ...mask],
  }
}

function ruleEvidence({ rules }: TextLeak, labelNames: readonly string[]): AlarmEvidence {
  return {
    title: 'Rules', columns: ['Label', 'Rule', 'With the label', 'Without', 'On other patients'],
    rows: rules.map(({ label, rule }) => [labelNames[label]!, ruleInWords(rule, labelNames[label]!, 20), share(rule.truePositives, rule.positives), share(rule.trueNegatives, rule.negatives), decimal(rule.heldOutBalance)]),
    note: 'Studies that the rule gets right. The last column is the mean of sensitivity and specificity on the half of the patients that the rule was not made from.',
  }
}

function wordEvidence({ words }: TextLeak): AlarmEvidence {
  return {
    title: 'Words', columns: ['Word', 'Label', 'Studies with both', 'AUROC of the word alone'],
    rows: words.map(({ word, labelName, studiesWithWord, studiesWithWordAndLabel, auroc }) => [word, labelName, `${studiesWithWordAndLabel} of ${studiesWithWord}`, decimal(auroc)]),
    note: null,
  }
}

function probeEvidence({ probes }: TextLeak, labelNames: readonly string[], level: number): AlarmEvidence {
  return {
    title: 'Probe that reads this text alone', columns: ['Label', 'AUROC', '95 % interval', 'With / without', 'p'],
    rows: [...probes].sort((a, b) => b.result.auroc - a.result.auroc).map(({ label, result }) => [labelNames[label]!, decimal(result.auroc), intervalInWords(result.interval), `${result.positives} / ${result.negatives}`, pInWords(result.pValue)]),
    note: `Logistic regression on words and phrases of two, five parts split by patient. p against chance, one-sided; it counts below ${pInWords(level / Math.max(1, 2 * labelNames.length))}, corrected for the number of labels and tests.`,
  }
}
