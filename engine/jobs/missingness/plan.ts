import { createHash } from 'node:crypto'
import { AppError } from '../../domain/errors.ts'
import type { LossDriver, LossTarget, MissingnessDescription, MissingnessSettings, StoredMissingness } from '../../domain/missingness.ts'
import type { RunConfig, Split } from '../../domain/run.ts'
import type { Slot } from '../../domain/slots.ts'
import { parseTabularItem } from '../../domain/tabular.ts'
import type { StoredTrainingStudy } from '../../store/repositories/patients.ts'
import { simulateMissingness } from '../../training/missingness/missingness.ts'
import { drawTable, slotsOfTarget, type DrawnTable, type MissingnessCase } from '../../training/missingness/missingness-table.ts'
import { createRng } from '../../training/rng.ts'
import { describeSide } from './words.ts'

const sides = ['train', 'val', 'test'] as const

/** What a plan is made of; a RunMaterial fits. */
export interface MissingnessMaterial {
  slots: readonly Slot[]
  labelNames: readonly string[]
  studies: readonly StoredTrainingStudy[]
  cohortHash: string
}

/**
 * The patterns that a run shows its studies with, in words and counts and hashed to cohort and split; everything follows from the
 * configuration's seeds, so asking before the run and starting it give the same tables.
 * Throws RUN_MISSINGNESS_INVALID when a loss names what the cohort or the run does not have.
 */
export function planMissingness(config: RunConfig, material: MissingnessMaterial, assignments: readonly (readonly Split[])[], splitHash: string): StoredMissingness {
  const { slots, studies } = material
  checkSettings(config.missingness, config, slots)
  const tables = tablesOf(config, material)
  const patterns = [...new Set(sides.flatMap((side) => tables[side].patterns))].sort()
  const position = new Map(patterns.map((pattern, index) => [pattern, index]))
  const shown = (side: Split) => tables[side].patterns.map((pattern) => position.get(pattern)!)
  const stored = { patterns, shown: { train: shown('train'), val: shown('val'), test: shown('test') } }
  return {
    ...stored,
    hash: hashOf(stored, material.cohortHash, splitHash),
    descriptions: sides.map((side): MissingnessDescription => {
      const onSide = studies.map((_, index) => assignments.some((fold) => fold[index] === side))
      return describeSide({ side, config, slots, labelNames: material.labelNames, studies, isOnSide: onSide, table: tables[side] })
    }),
  }
}

/** The tables for the engine, after a check that they are the ones that were stored. Throws RUN_COHORT_CHANGED otherwise. */
export function shownTablesOf(stored: StoredMissingness, studyCount: number, cohortHash: string, splitHash: string): Record<Split, string[]> {
  if (stored.hash !== hashOf(stored, cohortHash, splitHash) || sides.some((side) => stored.shown[side].length !== studyCount)) {
    throw new AppError('RUN_COHORT_CHANGED', 'The stored missingness table does not belong to the cohort and split of the run.')
  }
  const patternsOf = (side: Split) => stored.shown[side].map((position) => stored.patterns[position]!)
  return { train: patternsOf('train'), val: patternsOf('val'), test: patternsOf('test') }
}

function hashOf({ patterns, shown }: Pick<StoredMissingness, 'patterns' | 'shown'>, cohortHash: string, splitHash: string): string {
  return createHash('sha256').update(JSON.stringify([cohortHash, splitHash, patterns, shown.train, shown.val, shown.test])).digest('hex')
}

function tablesOf(config: RunConfig, { slots, studies }: MissingnessMaterial): Record<Split, DrawnTable> {
  const natural = studies.map((study) => study.pattern)
  if (config.missingness === null) {
    const lost = { patterns: simulateMissingness(slots, natural, config.trainMissingness, createRng(config.seed).fork('train-missingness')), restored: [] }
    return { train: lost, val: lost, test: { patterns: natural, restored: [] } }
  }
  const cases = studies.map((study): MissingnessCase => ({ pattern: study.pattern, valueOf: (driver, target) => driverValue(driver, target, study, config, slots) }))
  const draw = (side: Split): DrawnTable => {
    const table = config.missingness![side]
    return table.losses.length === 0 ? { patterns: natural, restored: [] } : drawTable(slots, cases, table, createRng(table.seed).fork(`missingness-${side}`))
  }
  return { train: draw('train'), val: draw('val'), test: draw('test') }
}

function driverValue(driver: LossDriver, target: LossTarget, study: StoredTrainingStudy, config: RunConfig, slots: readonly Slot[]): number | string | null {
  switch (driver.kind) {
    case 'age': return study.ageYears
    case 'sex': return study.sex
    case 'label': {
      const value = study.labels[config.labelIds.indexOf(driver.labelId)]!
      return Number.isNaN(value) ? null : value
    }
    case 'column': {
      const text = study.items.find((item) => item.slotId === driver.slotId)?.text ?? null
      return text === null ? null : (parseTabularItem(text)[driver.column] ?? null)
    }
    case 'word-count': {
      const lost = new Set(slotsOfTarget(slots, target))
      const texts = study.items.flatMap((item) => (lost.has(item.slotId) && item.text !== null ? [item.text] : []))
      return texts.length === 0 ? null : texts.join(' ').split(/\s+/u).filter(Boolean).length
    }
  }
}

function checkSettings(settings: MissingnessSettings | null, config: RunConfig, slots: readonly Slot[]): void {
  for (const side of sides) {
    for (const { target, mechanism } of settings?.[side].losses ?? []) {
      const targeted = slots.filter((slot) => slotsOfTarget(slots, target).includes(slot.slotId))
      const refuse = (reason: string): never => { throw new AppError('RUN_MISSINGNESS_INVALID', `Simulated missingness: ${reason}.`) }
      if (targeted.length === 0) refuse(`the run has no ${target.kind === 'slot' ? `modality "${target.slotId}"` : target.modality} to lose`)
      if (mechanism.kind === 'mcar') continue
      const { driver } = mechanism
      if (driver.kind === 'column' && slots.find((slot) => slot.slotId === driver.slotId)?.modality !== 'tabular') refuse(`"${driver.slotId}" is no table of the run`)
      if (driver.kind === 'label' && !config.labelIds.includes(driver.labelId)) refuse('it depends on a label that the run does not have')
      if (driver.kind === 'word-count' && !targeted.some((slot) => slot.modality === 'text')) refuse('the length of a text can only drive the loss of that text')
      const dependsOnLost = driver.kind === 'word-count' || (driver.kind === 'column' && targeted.some((slot) => slot.slotId === driver.slotId))
      if (mechanism.kind === 'mar' && (driver.kind === 'label' || dependsOnLost)) refuse('what depends on the label or on the lost value itself is missing not at random (mnar), not at random (mar)')
      if (mechanism.kind === 'mnar' && driver.kind !== 'label' && !dependsOnLost) refuse('what depends on something observed is missing at random (mar), not mnar')
    }
  }
}
