import { describe, expect, it } from 'vitest'
import { guessJoin, pathFromTable } from '../../../../../renderer/composables/import/useTableJoin.ts'

const column = (name: string, distinctCount: number) => ({ name, blankCount: 0, distinctCount, samples: [] })

describe('pathFromTable', () => {
  it('keeps the name in the same folder and the whole path elsewhere', () => {
    expect(pathFromTable('/data/a.csv', false, '/data/b.csv')).toBe('b.csv')
    expect(pathFromTable('C:\\data\\a.csv', false, 'C:\\data\\b.csv')).toBe('b.csv')
    expect(pathFromTable('/data', true, '/data/b.csv')).toBe('b.csv')
    expect(pathFromTable('/data/a.csv', false, '/data/more/b.csv')).toBe('/data/more/b.csv')
    expect(pathFromTable('/data/a.csv', false, '/data2/b.csv')).toBe('/data2/b.csv')
  })
})

describe('guessJoin', () => {
  it('takes the first title both tables have, and a view column when IDs repeat', () => {
    const join = guessJoin({ ownColumns: ['Age', 'Patient ID'], suggestion: null }, { columns: [column('patient_id', 3), column('File', 6), column('Projection', 2)], rowCount: 6 }, 'b.csv')
    expect(join).toEqual({ table: 'b.csv', sheet: null, column: 'Patient ID', otherColumn: 'patient_id', spreadBy: 'Projection' })
  })

  it('takes, of several titles both have, the one that tells most rows apart: a kind of examination is no ID', () => {
    const join = guessJoin({ ownColumns: ['PatientID', 'Modality', 'File'], suggestion: null }, { columns: [column('file', 60), column('modality', 8)], rowCount: 60 }, 'INDEX.csv')
    expect(join).toMatchObject({ column: 'File', otherColumn: 'file', spreadBy: null })
  })

  it('numbers nothing when every ID stands once', () => {
    expect(guessJoin({ ownColumns: ['id'], suggestion: null }, { columns: [column('id', 3), column('side', 2)], rowCount: 3 }, 'b.csv')?.spreadBy).toBeNull()
  })
})
