import type { ComputedRef } from 'vue'
import type { TableInspection } from '../../../engine/domain/import.ts'
import type { TableJoin } from '../../../engine/domain/mapping.ts'
import { call } from '../../api.ts'
import { sourceOf, type ImportEvent, type ImportState } from './wizard-state.ts'

const viewTitles = /^(view|viewposition|projection|laterality|eye|side)$/
const mostViews = 8
const fold = (title: string): string => title.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Path of the second table as the mapping keeps it: its name when both lie in one folder, so that the next delivery finds its own. */
export function pathFromTable(tableFile: string, isFolder: boolean, path: string): string {
  const folder = isFolder ? tableFile : tableFile.replace(/[\\/][^\\/]*$/, '')
  return path.startsWith(folder) && /^[\\/][^\\/]+$/.test(path.slice(folder.length)) ? path.slice(folder.length + 1) : path
}

/** A first guess at how two tables belong together: the title that both have and that tells most rows of the second apart, else patient ID and first column. */
export function guessJoin(first: Pick<TableInspection, 'ownColumns' | 'suggestion'>, second: Pick<TableInspection, 'columns' | 'rowCount'>, table: string): TableJoin | null {
  const others = second.columns.map(({ name }) => name)
  const distinctOf = (name: string): number => Math.max(0, ...second.columns.filter((other) => fold(other.name) === fold(name)).map(({ distinctCount }) => distinctCount))
  // Sorting is stable: of equally telling ones the first stays first.
  const shared = first.ownColumns.filter((name) => others.some((other) => fold(other) === fold(name))).sort((a, b) => distinctOf(b) - distinctOf(a))
  const column = shared[0] ?? first.suggestion?.mapping.patientIdColumn ?? first.ownColumns[0]
  const otherColumn = others.find((other) => column !== undefined && fold(other) === fold(column)) ?? others[0]
  if (column === undefined || otherColumn === undefined) return null
  const isRepeated = second.columns.some(({ name, distinctCount }) => name === otherColumn && distinctCount < second.rowCount)
  const view = second.columns.find(({ name, distinctCount }) => name !== otherColumn && viewTitles.test(fold(name)) && distinctCount >= 2 && distinctCount <= mostViews)
  return { table, sheet: null, column, otherColumn, spreadBy: isRepeated ? view?.name ?? null : null }
}

/** The wizard's choice of a second table. */
export function useTableJoin(state: ComputedRef<ImportState>, send: (event: ImportEvent) => void, guard: (work: () => Promise<void>) => Promise<void>): {
  chooseJoin: () => Promise<void>
  changeJoin: (join: TableJoin | null) => void
} {
  const chooseJoin = (): Promise<void> => guard(async () => {
    const [source, first] = [sourceOf(state.value), state.value.inspection]
    if (source === null || first === null) return
    const { path } = await call('import:choose-table', { folder: source.sourceDir })
    if (path === null) return
    const second = await call('import:inspect', { source: { ...source, tableFile: path, sheet: null }, join: null })
    const join = guessJoin(first, second, pathFromTable(source.tableFile, first.format === 'dicom' || first.format === 'reports', path))
    if (join !== null) send({ kind: 'join-chosen', join })
  })
  return { chooseJoin, changeJoin: (join) => send({ kind: 'join-chosen', join }) }
}
