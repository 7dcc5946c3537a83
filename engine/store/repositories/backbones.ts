import { backboneSizesSchema, type BackboneArchitecture, type BackboneDetails, type BackboneFileRecord, type BackboneReads, type BackboneRecord, type BackboneTensor, type ImportedBackbone } from '../../domain/backbones.ts'
import { AppError } from '../../domain/errors.ts'
import type { StoreContext } from '../context.ts'

interface BackboneRow {
  id: string
  name: string
  architecture: BackboneArchitecture
  reads: BackboneReads
  sizes_json: string
  parameter_count: number
  content_hash: string
  licence: string
  source: string
  notes_json: string
  added_at: string
  removed_at: string | null
  tensor_count: number
}

interface TensorRow {
  name: string
  stored_type: string
  shape_json: string
  element_count: number
  is_used: 0 | 1
}

function rowToBackbone(row: BackboneRow, files: BackboneFileRecord[]): BackboneRecord {
  return {
    backboneId: row.id,
    name: row.name,
    architecture: row.architecture,
    reads: row.reads,
    sizes: backboneSizesSchema.parse(JSON.parse(row.sizes_json)),
    parameterCount: row.parameter_count,
    contentHash: row.content_hash,
    licence: row.licence,
    source: row.source,
    notes: JSON.parse(row.notes_json) as string[],
    addedAt: row.added_at,
    removedAt: row.removed_at,
    tensorCount: row.tensor_count,
    files,
  }
}

function rowToTensor(row: TensorRow): BackboneTensor {
  return { name: row.name, storedType: row.stored_type, shape: JSON.parse(row.shape_json) as number[], count: row.element_count, isUsed: row.is_used === 1 }
}

export interface BackboneRepository {
  /** Stores a new backbone, or marks a removed one as back. */
  add: (backbone: ImportedBackbone, details: BackboneDetails) => void
  /** Throws BACKBONE_NOT_FOUND. A removed one is found too. */
  get: (backboneId: string) => BackboneRecord
  /** In the order of their adding; removed ones only when asked for. */
  list: (options?: { withRemoved?: boolean }) => BackboneRecord[]
  tensors: (backboneId: string) => BackboneTensor[]
  setDetails: (backboneId: string, details: BackboneDetails) => void
  /** Throws BACKBONE_IN_USE while a run that is not over names it. */
  markRemoved: (backboneId: string) => void
}

/** Imported backbones with their files and parameter tables. */
export function createBackboneRepository({ db, now, audit }: StoreContext): BackboneRepository {
  const columns = 'b.*, (SELECT count(*) FROM backbone_tensors t WHERE t.backbone_id = b.id) AS tensor_count'
  const selectOne = db.prepare<{ id: string }, BackboneRow>(`SELECT ${columns} FROM backbones b WHERE b.id = :id`)
  const selectAll = db.prepare<[], BackboneRow>(`SELECT ${columns} FROM backbones b ORDER BY b.added_at, b.id`)
  const selectFiles = db.prepare<{ id: string }, { name: string; byte_size: number; sha256: string }>('SELECT name, byte_size, sha256 FROM backbone_files WHERE backbone_id = :id ORDER BY name')
  const selectTensors = db.prepare<{ id: string }, TensorRow>('SELECT name, stored_type, shape_json, element_count, is_used FROM backbone_tensors WHERE backbone_id = :id ORDER BY position')
  const insertOne = db.prepare(`INSERT INTO backbones (id, name, architecture, reads, sizes_json, parameter_count, content_hash, licence, source, notes_json, added_at)
    VALUES (:id, :name, :architecture, :reads, :sizes, :parameterCount, :contentHash, :licence, :source, :notes, :addedAt)`)
  const insertFile = db.prepare('INSERT INTO backbone_files (backbone_id, name, byte_size, sha256) VALUES (:id, :name, :byteSize, :sha256)')
  const insertTensor = db.prepare('INSERT INTO backbone_tensors (backbone_id, position, name, stored_type, shape_json, element_count, is_used) VALUES (:id, :position, :name, :storedType, :shape, :count, :isUsed)')
  const bringBack = db.prepare('UPDATE backbones SET removed_at = NULL, name = :name, licence = :licence, source = :source WHERE id = :id')
  const updateDetails = db.prepare('UPDATE backbones SET name = :name, licence = :licence, source = :source WHERE id = :id')
  const setRemoved = db.prepare('UPDATE backbones SET removed_at = :removedAt WHERE id = :id AND removed_at IS NULL')
  // A run may name two encoders joined by "+".
  const selectRuns = db.prepare<{ id: string }, { name: string }>(`SELECT name FROM runs
    WHERE status IN ('queued', 'running', 'paused') AND instr('+' || json_extract(config_json, '$.backbone') || '+', '+' || :id || '+') > 0 ORDER BY id`)

  const toRecord = (row: BackboneRow) => rowToBackbone(row, selectFiles.all({ id: row.id }).map(({ name, byte_size: byteSize, sha256 }) => ({ name, byteSize, sha256 })))
  const get = (backboneId: string): BackboneRecord => {
    const row = selectOne.get({ id: backboneId })
    if (row === undefined) throw new AppError('BACKBONE_NOT_FOUND', `There is no backbone "${backboneId}".`)
    return toRecord(row)
  }

  const add = db.transaction((backbone: ImportedBackbone, details: BackboneDetails): void => {
    const id = backbone.backboneId
    const known = selectOne.get({ id })
    if (known !== undefined && known.removed_at === null) throw new AppError('BACKBONE_ALREADY_ADDED', `These files are already there as "${known.name}".`)
    audit('backbone.added', { backboneId: id, contentHash: backbone.contentHash })
    if (known !== undefined) {
      bringBack.run({ id, ...details })
      return
    }
    insertOne.run({
      id, ...details, architecture: backbone.architecture, reads: backbone.reads, sizes: JSON.stringify(backbone.sizes), parameterCount: backbone.parameterCount,
      contentHash: backbone.contentHash, notes: JSON.stringify(backbone.notes), addedAt: now(),
    })
    for (const file of backbone.files) insertFile.run({ id, ...file })
    backbone.tensors.forEach(({ name, storedType, shape, count, isUsed }, position) =>
      insertTensor.run({ id, position, name, storedType, shape: JSON.stringify(shape), count, isUsed: isUsed ? 1 : 0 }))
  })

  const markRemoved = db.transaction((backboneId: string): void => {
    const { name } = get(backboneId)
    const runs = selectRuns.all({ id: backboneId })
    if (runs.length > 0) throw new AppError('BACKBONE_IN_USE', `"${name}" is used by ${runs.length === 1 ? 'a run that is not over' : `${runs.length} runs that are not over`}: ${runs.slice(0, 3).map((run) => `"${run.name}"`).join(', ')}.`)
    if (setRemoved.run({ id: backboneId, removedAt: now() }).changes > 0) audit('backbone.removed', { backboneId })
  })

  return {
    get,
    add: (backbone, details) => add.immediate(backbone, details),
    list: ({ withRemoved = false } = {}) => selectAll.all().filter((row) => withRemoved || row.removed_at === null).map(toRecord),
    tensors: (backboneId) => selectTensors.all({ id: get(backboneId).backboneId }).map(rowToTensor),
    setDetails: (backboneId, details) => {
      if (updateDetails.run({ id: backboneId, ...details }).changes === 0) throw new AppError('BACKBONE_NOT_FOUND', `There is no backbone "${backboneId}".`)
    },
    markRemoved: (backboneId) => markRemoved.immediate(backboneId),
  }
}
